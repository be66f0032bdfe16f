import { isJsonObject, type JsonObject } from '../../json.ts'
import { keySetBytes, keySetTimeoutMs } from '../../limits.ts'

interface Sent {
  readonly form: URLSearchParams
  readonly authorization: string
}

/**
 * A document of an issuer, or what it answers to a form. Throws when there is none: not https, moved elsewhere, too large, too
 * slow, no JSON object.
 */
export async function fetchJson(
  url: string,
  { allowHttp }: { readonly allowHttp: boolean },
  sent?: Sent,
): Promise<JsonObject> {
  const { protocol } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && allowHttp)) throw new Error('the address is not https')
  const answer = await fetch(url, {
    headers: { accept: 'application/json', ...(sent === undefined ? {} : { authorization: sent.authorization }) },
    ...(sent === undefined ? {} : { method: 'POST', body: sent.form }),
    // Keys come from the address that the operator wrote, and from nowhere else.
    redirect: 'manual',
    signal: AbortSignal.timeout(keySetTimeoutMs),
  })
  try {
    if (answer.status !== 200 || answer.body === null) throw new Error(`status ${answer.status}`)
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of answer.body) {
      size += part.length
      if (size > keySetBytes) throw new Error(`larger than ${keySetBytes} bytes`)
      parts.push(part)
    }
    const parsed: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (!isJsonObject(parsed)) throw new Error('not a JSON object')
    return parsed
  } finally {
    await answer.body?.cancel().catch(() => undefined)
  }
}
