import type { KeySource } from '../../access.ts'
import type { JsonObject } from '../../json.ts'
import { fetchJson } from './fetch-json.ts'

/** OpenID Connect Discovery §4.3: the document has to name the very issuer that was asked. */
export async function openIdConfiguration(source: Pick<KeySource, 'issuer' | 'allowHttp'>): Promise<JsonObject> {
  const url = `${source.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const configuration = await fetchJson(url, source)
  if (configuration.issuer !== source.issuer) throw new Error('the OpenID configuration names another issuer')
  return configuration
}
