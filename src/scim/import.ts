import type { JsonObject } from '../json.ts'
import { enterpriseUrn, userUrn } from './attribute.ts'
import { normaliseResource } from './normalise.ts'
import type { Schemas } from './schema.ts'
import { toStoredUser } from './stored.ts'

/** What a mapping reads out of an account, as the document that a POST of the same would have made. Throws `Problem`. */
export function importedDocument(schemas: Schemas): (scim: JsonObject) => JsonObject {
  return (scim) => {
    const urns = scim[enterpriseUrn] === undefined ? [userUrn] : [userUrn, enterpriseUrn]
    return toStoredUser(schemas, normaliseResource(schemas.user, { schemas: urns, ...scim }, 'create').document)
  }
}
