import { isJsonObject, type JsonObject } from '../json.ts'
import type { StoredResource } from '../store/store.ts'
import { provisioningUrn } from './attribute.ts'
import type { Schemas } from './schema.ts'

/** The canonical document as the client may change it: without id and without the extension that only we write. */
export function fromStored(stored: StoredResource): JsonObject {
  const parsed: unknown = JSON.parse(stored.json)
  if (!isJsonObject(parsed)) throw new Error('a stored document is not a JSON object')
  const { id: _id, schemas, ...rest } = parsed
  const urns = Array.isArray(schemas) ? schemas.filter((urn) => urn !== provisioningUrn) : []
  return { schemas: urns, ...rest }
}

/** Every user carries the Provisioning extension where it is shown, so its `schemas` names it (RFC 7643 §3). */
export function toStoredUser({ user }: Pick<Schemas, 'user'>, document: JsonObject): JsonObject {
  const { schemas, ...rest } = document
  const ours = user.extensions.has(provisioningUrn.toLowerCase()) ? [provisioningUrn] : []
  return { schemas: [...(Array.isArray(schemas) ? schemas : []), ...ours], ...rest }
}
