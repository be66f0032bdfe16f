import { isJsonObject, type JsonObject } from '../json.ts'
import type { StoredResource } from '../store/store.ts'
import { provisioningUrn } from './attribute.ts'

/** The canonical document as the client may change it: without id and without the extension that only we write. */
export function fromStored(stored: StoredResource): JsonObject {
  const parsed: unknown = JSON.parse(stored.json)
  if (!isJsonObject(parsed)) throw new Error('a stored document is not a JSON object')
  const { id: _id, schemas, ...rest } = parsed
  const urns = Array.isArray(schemas) ? schemas.filter((urn) => urn !== provisioningUrn) : []
  return { schemas: urns, ...rest }
}

/** Every user carries the Provisioning extension, so its `schemas` names it (RFC 7643 §3). */
export function toStoredUser(document: JsonObject): JsonObject {
  const { schemas, ...rest } = document
  return { schemas: [...(Array.isArray(schemas) ? schemas : []), provisioningUrn], ...rest }
}
