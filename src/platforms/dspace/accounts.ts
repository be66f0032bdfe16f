/** DSpace's EPersons as accounts. */
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import type { EPerson } from './answers.ts'

export const administrators = 'Administrator'

/** Attribute → metadata field. */
export const metadataFields = new Map([
  ['firstname', 'eperson.firstname'],
  ['lastname', 'eperson.lastname'],
  ['phone', 'eperson.phone'],
  ['language', 'eperson.language'],
] as const)

export interface Own {
  readonly id: AccountId | undefined
  readonly email: string
  /** Whether the connection's settings name the group of administrators: then its members are not protected. */
  readonly managesAdministrators: boolean
}

export function toAccount(person: EPerson, groups: readonly string[], own: Own): Account {
  const attributes = new Map<string, Json>()
  if (person.email) attributes.set('email', person.email)
  if (person.netid) attributes.set('netid', person.netid)
  for (const [name, field] of metadataFields) {
    const value = person.metadata?.[field]?.[0]?.value
    if (value) attributes.set(name, value)
  }
  attributes.set('canLogIn', person.canLogIn)
  attributes.set('requireCertificate', person.requireCertificate ?? false)
  attributes.set('groups', [...groups])
  const id = person.uuid
  const isOwn = id === own.id || person.email?.toLowerCase() === own.email.toLowerCase()
  if (isOwn) return { id, attributes, protectedBecause: "it is the bridge's own service account" }
  if (groups.includes(administrators) && !own.managesAdministrators)
    return { id, attributes, protectedBecause: `it is a member of the group ${administrators}` }
  return { id, attributes }
}

/** Body of a new EPerson: only properties that all versions know, 7 and 8 refuse others. */
export function toNewPerson(wanted: Attributes): Record<string, Json> {
  const metadata: [string, Json][] = []
  for (const [name, field] of metadataFields) {
    const value = wanted.get(name)
    if (typeof value === 'string') metadata.push([field, [{ value, language: null, authority: '', confidence: -1 }]])
  }
  const netid = wanted.get('netid')
  return {
    email: lowerCase(wanted.get('email')),
    ...(typeof netid === 'string' ? { netid } : {}),
    // Said always: DSpace's default is an account that cannot log in.
    canLogIn: wanted.get('canLogIn') ?? false,
    requireCertificate: wanted.get('requireCertificate') ?? false,
    metadata: Object.fromEntries(metadata),
    type: 'eperson',
  }
}

export type PatchOperation = { op: 'replace'; path: string; value: Json } | { op: 'remove'; path: string }

/** One JSON Patch for all changes: DSpace makes all of them or none. */
export function toPatch(changes: Attributes): PatchOperation[] {
  return [...changes].flatMap(([name, value]): PatchOperation[] => {
    const path = pathOf(name)
    if (path === undefined) return []
    if (value === null) return [{ op: 'remove', path }]
    return [{ op: 'replace', path, value: name === 'email' ? lowerCase(value) : value }]
  })
}

function pathOf(name: string): string | undefined {
  for (const [attribute, field] of metadataFields) if (attribute === name) return `/metadata/${field}`
  // The property is canLogIn, its path canLogin.
  return directPaths.get(name)
}

const directPaths = new Map([
  ['email', '/email'],
  ['netid', '/netid'],
  ['canLogIn', '/canLogin'],
  ['requireCertificate', '/certificate'],
])

function lowerCase(value: Json | undefined): Json {
  return typeof value === 'string' ? value.toLowerCase() : (value ?? null)
}
