import { isJsonObject, type JsonObject } from '../json.ts'
import { enterpriseUrn, userUrn } from './attribute.ts'
import { normaliseResource } from './normalise.ts'
import type { Schemas } from './schema.ts'
import { toStoredUser } from './stored.ts'

/** What a mapping reads out of an account, as the document that a POST of the same would have made. Throws `Problem`. */
export function importedDocument(schemas: Schemas): (scim: JsonObject) => JsonObject {
  return (scim) => {
    const urns = scim[enterpriseUrn] === undefined ? [userUrn] : [userUrn, enterpriseUrn]
    const body = { schemas: urns, ...scim, ...withKind(scim) }
    return toStoredUser(schemas, normaliseResource(schemas.user, body, 'create').document)
  }
}

/**
 * A platform has one address, of no kind. Okta and Entra call it `work`: Entra looks people up by it, and with no such
 * address there it adds one beside the primary one, which the mapping goes on taking.
 */
function withKind({ emails }: JsonObject): JsonObject {
  if (!Array.isArray(emails) || emails.some((email) => isJsonObject(email) && email.type !== undefined)) return {}
  return {
    emails: emails.map((email) => (isJsonObject(email) && email.primary === true ? { ...email, type: 'work' } : email)),
  }
}
