/** One person on EthosCE: three kinds of rows, and the account that they make. Pure. */
import type { Account, Json } from '../../facts.ts'
import { isJsonObject } from '../../json.ts'
import type { Authmap, EthosceUser, Profile } from './answers.ts'
import { authenticatedRole, type RoleNames } from './roles.ts'

export interface Person {
  readonly uid: number
  readonly user: EthosceUser
  /** Any number; a person logs in by each of them. */
  readonly authmaps: readonly Authmap[]
  /** EthosCE accepts several of one type; the newest is the one shown. */
  readonly profiles: readonly Profile[]
}

export const locationField = 'field_profile_location'
export const locationPrefix = 'location.'
/** Replaced as a whole, so all of them are always sent. */
export const locationKeys = ['street', 'additional', 'city', 'province', 'postal_code', 'country'] as const

/** `module` is the one that the mapping asks for, as far as it is known. */
export function toAccount(person: Person, names: RoleNames, module: string | undefined): Account {
  const { user } = person
  const attributes = new Map<string, Json>()
  const set = (name: string, value: Json | undefined) => {
    if (value !== undefined && value !== null && value !== '') attributes.set(name, value)
  }
  set('name', user.name)
  set('mail', user.mail)
  set('status', user.status)
  attributes.set(
    'roles',
    rolesOf(user).map((rid) => names.nameOf(rid) ?? String(rid)),
  )
  const authmap = authmapOf(person, module)
  set('authname', authmap?.authname)
  set('module', authmap?.module)
  const profile = profileOf(person)
  for (const [name, value] of Object.entries(profile ?? {})) {
    if (name.startsWith('field_') && name !== locationField) set(name, textOf(value))
  }
  for (const [name, value] of locationOf(profile)) set(name, value)
  const reason = whyProtected(person)
  return { id: String(person.uid), attributes, ...(reason === undefined ? {} : { protectedBecause: reason }) }
}

/** Nothing on EthosCE's side guards these. */
function whyProtected(person: Person): string | undefined {
  if (person.uid <= 1) return 'the administrator of the site (uid 1)'
  if (/^restws/i.test(person.user.name ?? '')) return 'a service account (its name begins with restws)'
  return undefined
}

/** Without "authenticated", which nobody can lose. */
export function rolesOf(user: EthosceUser): number[] {
  return (user.roles ?? []).filter((rid) => rid !== authenticatedRole)
}

/** The row of the wanted module, else the oldest. */
export function authmapOf(person: Person, module: string | undefined): Authmap | undefined {
  const rows = person.authmaps.toSorted((one, two) => one.aid - two.aid)
  return rows.find((row) => row.module === module) ?? rows[0]
}

export function profileOf(person: Person): Profile | undefined {
  return person.profiles.toSorted((one, two) => two.pid - one.pid)[0]
}

/** By attribute name (`location.city`), null where there is none. An empty address reads as `[]`. */
export function locationOf(profile: Profile | undefined): Map<string, string | null> {
  const location = profile?.[locationField]
  const entries = new Map(Object.entries(isJsonObject(location) ? location : {}))
  return new Map(
    locationKeys.map((key) => {
      const value = entries.get(key)
      return [`${locationPrefix}${key}`, typeof value === 'string' && value !== '' ? value : null]
    }),
  )
}

/** A text, a number of a list, or a text area (`{ value, format }`). Several values are not ours to show. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  return isJsonObject(value) && typeof value.value === 'string' ? value.value : undefined
}

/** The profile fields of `changes` as EthosCE wants them, or undefined when there are none. */
export function toProfileBody(
  changes: ReadonlyMap<string, Json>,
  profile: Profile | undefined,
): Record<string, unknown> | undefined {
  const before = new Map(Object.entries(profile ?? {}))
  const body: Record<string, unknown> = {}
  for (const [name, value] of changes) {
    if (!name.startsWith('field_')) continue
    const area = before.get(name)
    // A text area keeps its format.
    body[name] = isJsonObject(area) && value !== null ? { ...area, value } : value
  }
  if ([...changes.keys()].some((name) => name.startsWith(locationPrefix))) {
    const whole = new Map<string, Json>([...locationOf(profile), ...changes])
    const entries = locationKeys.map((key) => [key, whole.get(`${locationPrefix}${key}`) ?? null] as const)
    const isEmpty = entries.every(([, value]) => value === null)
    body[locationField] = isEmpty ? null : Object.fromEntries(entries)
  }
  return Object.keys(body).length === 0 ? undefined : body
}

/** EthosCE stores the code of a province whose name was sent. */
export function wasCoded(profile: Profile | undefined, sent: Json | undefined): boolean {
  const location = profile?.[locationField]
  if (typeof sent !== 'string' || !isJsonObject(location) || typeof location.province_name !== 'string') return false
  return location.province !== sent && location.province_name.toLowerCase() === sent.toLowerCase()
}
