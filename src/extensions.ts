/** Extensions of User that a connection declares (RFC 7643 §3.3): what bridge.yaml may say, and what the schema tables take. */

export interface DeclaredExtension {
  readonly urn: string
  readonly attributes: readonly DeclaredAttribute[]
}

export interface DeclaredAttribute {
  readonly name: string
  readonly type: (typeof declarableTypes)[number]
  readonly multiValued: boolean
  /** Undefined: as RFC 7643 §2.3 has it for the type. */
  readonly caseExact?: boolean | undefined
  /** Shown in `/Schemas`. */
  readonly description?: string | undefined
}

/** Complex attributes cannot be declared: no identity provider sends them in an extension. */
export const declarableTypes = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary'] as const

/** Schemas that every connection has; nobody declares them anew. */
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const provisioningUrn = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'
export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const builtIn = new Set([userUrn, groupUrn, enterpriseUrn, provisioningUrn].map((urn) => urn.toLowerCase()))

const urnLength = 200
const nameLength = 50

/** What is wrong with the URN; undefined when nothing is. */
export function urnProblem(urn: string): string | undefined {
  const key = urn.toLowerCase()
  if (urn.length > urnLength || !/^urn:[a-z0-9][!#-'*-Z^-~]*$/.test(key)) {
    return `needs a name that starts with 'urn:', without blanks, brackets and quotes, of at most ${urnLength} characters`
  }
  return builtIn.has(key) ? 'is built in: it needs no declaration' : undefined
}

/** RFC 7643 §2.1, without the names that every JavaScript object has. Undefined when the name is right. */
export function nameProblem(name: string): string | undefined {
  const isName = name.length <= nameLength && /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && !(name in Object.prototype)
  return isName ? undefined : `needs a letter, then letters, digits, '-' or '_', at most ${nameLength} in all`
}

/** The first of the names that is there twice, letter case aside. */
export function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(name.toLowerCase()).size)
}
