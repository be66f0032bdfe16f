/** The `user` resource: rows, what a read shows, and what a write does and refuses. */
import { accessDenied, crash, json, pageNotFound, Refusal, text } from './answers.ts'
import { checkCharacters, databaseError } from './database.ts'
import { isMemberOfAllGroupsOf, maySetGroups, membershipProperties, setGroups } from './groups.ts'
import { invalidValue, isRecord, readOnly, unknownProperty } from './property.ts'
import type { Collection, Column } from './query.ts'
import { reference } from './reference.ts'
import type { EthosceState, Rights, UserRow } from './state.ts'

const nameLength = 60
const mailLength = 254
const authenticated = 2
const readOnlyProperties = new Set([
  'url',
  'edit_url',
  'last_access',
  'last_login',
  'created',
  'theme',
  'profile_profile',
])
const groupProperties = /^og_(user_node__)?og_membership|^og_membership/

export interface NewUser {
  readonly name: string
  readonly mail: string
  readonly status: number
  readonly roles: readonly number[]
  readonly password?: string
  readonly rights?: Rights
}

/** Inserts without any check of the web service; the database's unique name still holds. */
export function insertUser(state: EthosceState, user: NewUser): UserRow {
  const uid = state.users.takeId()
  if (state.usersByName.get(state.fold(user.name)).size > 0) throw new Refusal(databaseError(state, 'Duplicate entry'))
  const row: UserRow = {
    uid,
    name: user.name,
    mail: user.mail,
    status: user.status,
    roles: [...user.roles],
    created: state.seconds(),
    login: 0,
    ...(user.password === undefined ? {} : { password: user.password }),
    rights: user.rights ?? 'none',
  }
  state.users.rows.set(uid, row)
  state.usersByName.add(state.fold(row.name), uid)
  state.usersByMail.add(state.fold(row.mail), uid)
  return row
}

/** uid 0, which every Drupal has and no table counter gives out. */
export function insertAnonymous(state: EthosceState): void {
  state.users.rows.set(0, { uid: 0, name: '', mail: '', status: 0, roles: [], created: 0, login: 0, rights: 'none' })
  state.usersByName.add('', 0)
  state.usersByMail.add('', 0)
}

interface Change {
  name?: string
  mail?: string
  status?: number
  roles?: number[]
  groups?: number[]
}

/** Reads the properties in the order sent; the first bad one decides the answer. */
function toChange(state: EthosceState, body: object, uid: number | undefined): Change {
  const place = `user(${uid ?? ''})`
  const change: Change = {}
  for (const [property, value] of Object.entries(body)) {
    if (property === 'name') change.name = toName(place, value)
    else if (property === 'mail') change.mail = toMail(state, place, value, uid)
    else if (property === 'status') change.status = toStatus(place, value)
    else if (property === 'roles') change.roles = toRoles(state, value)
    else if (property === 'og_user_node') change.groups = toIds(value)
    else if (property === 'uid' && uid !== undefined) {
      if (String(value) !== String(uid)) throw new Refusal(text(422, 'Unable to change uid'))
    } else if (property === 'uid' || readOnlyProperties.has(property) || groupProperties.test(property)) {
      throw readOnly(property)
    } else throw unknownProperty(property)
  }
  return change
}

function toName(place: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw invalidValue(place, 'name', value)
  return String(value)
}

function toMail(state: EthosceState, place: string, value: unknown, uid: number | undefined): string {
  const isMail = typeof value === 'string' && value.length <= mailLength && /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(value)
  if (!isMail) throw invalidValue(place, 'mail', value)
  const others = [...state.usersByMail.get(state.fold(value))].filter((other) => other !== uid)
  if (state.knobs.duplicateMail === 406 && others.length > 0) throw invalidValue(place, 'mail', value)
  return value
}

/** Booleans are refused; any number is taken, 2 included. */
function toStatus(place: string, value: unknown): number {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
  if (!isNumber) throw invalidValue(place, 'status', value)
  return Number(value)
}

/** Unknown ids are dropped without a word; plain integers crash. */
function toRoles(state: EthosceState, value: unknown): number[] {
  return [...new Set(toIds(value))].filter((id) => id !== authenticated && state.roles.has(id)).sort((a, b) => a - b)
}

function toIds(value: unknown): number[] {
  if (!Array.isArray(value)) throw new Refusal(crash())
  return value.map((entry: unknown) => {
    if (!isRecord(entry) || !('id' in entry)) throw new Refusal(crash())
    return Number(entry.id)
  })
}

function checkName(state: EthosceState, name: string | undefined): void {
  if (name === undefined || name === '') throw new Refusal(databaseError(state, "Column 'name' cannot be empty"))
  if ([...name].length > nameLength) throw new Refusal(databaseError(state, "Data too long for column 'name'"))
  checkCharacters(state, 'name', name)
}

export function createUser(state: EthosceState, origin: string, body: object) {
  const change = toChange(state, body, undefined)
  const name = change.name
  try {
    checkName(state, name)
    checkCharacters(state, 'mail', change.mail ?? '')
  } catch (cause) {
    // Drupal takes the uid before it inserts.
    state.users.takeId()
    throw cause
  }
  const row = insertUser(state, {
    name: name ?? '',
    mail: change.mail ?? '',
    status: change.status ?? 0,
    roles: change.roles ?? [],
  })
  return json(201, reference(state, origin, 'user', row.uid, String(row.uid)))
}

export interface UserEvents {
  endSessionsOf(uid: number): void
}

export function updateUser(state: EthosceState, uid: number, body: object, caller: UserRow, events: UserEvents): void {
  const row = existing(state, uid)
  const change = toChange(state, body, uid)
  const mayKeepGroups = !state.knobs.groupTrap || isMemberOfAllGroupsOf(state, caller.uid, uid)
  if (!mayKeepGroups || !maySetGroups(state, change.groups ?? [], caller.uid)) {
    throw new Refusal(text(422, 'Field validation errors'))
  }
  const { name = row.name, mail = row.mail } = change
  checkName(state, name)
  checkCharacters(state, 'mail', mail)
  if ([...state.usersByName.get(state.fold(name))].some((other) => other !== uid)) {
    throw new Refusal(databaseError(state, 'Duplicate entry'))
  }
  if (change.groups !== undefined) setGroups(state, uid, change.groups)
  state.usersByName.remove(state.fold(row.name), uid)
  state.usersByMail.remove(state.fold(row.mail), uid)
  row.name = name
  row.mail = mail
  state.usersByName.add(state.fold(name), uid)
  state.usersByMail.add(state.fold(mail), uid)
  if (change.roles !== undefined) row.roles = change.roles
  if (change.status === undefined || change.status === row.status) return
  const wasOn = row.status === 1
  row.status = change.status
  if (wasOn) events.endSessionsOf(uid)
  if (row.status === 1) {
    const subject = `Account details for ${row.name} at EthosCE test site (approved)`
    state.mails.push({ key: 'user_status_activated', to: row.mail, subject })
  }
}

/** Takes the authmap rows, profiles, memberships and authored nodes along. */
export function deleteUser(state: EthosceState, uid: number, events: UserEvents): void {
  const row = existing(state, uid)
  const profiles = state.profilesByUser.get(uid)
  if (profiles.size > 1 && state.knobs.twoProfilesDie) throw new Refusal(crash())
  for (const pid of [...profiles]) {
    state.profiles.rows.delete(pid)
    state.profilesByUser.remove(uid, pid)
  }
  for (const aid of [...state.authmapByUser.get(uid)]) {
    const mapping = state.authmap.rows.get(aid)
    if (mapping !== undefined) state.authmapByName.remove(state.fold(mapping.authname), aid)
    state.authmapByUser.remove(uid, aid)
    state.authmap.rows.delete(aid)
  }
  for (const id of [...state.membershipsByUser.get(uid)]) {
    state.memberships.rows.delete(id)
    state.membershipsByUser.remove(uid, id)
  }
  for (const node of [...state.nodes.rows.values()]) if (node.author === uid) state.nodes.rows.delete(node.nid)
  state.usersByName.remove(state.fold(row.name), uid)
  state.usersByMail.remove(state.fold(row.mail), uid)
  state.users.rows.delete(uid)
  events.endSessionsOf(uid)
}

function existing(state: EthosceState, uid: number): UserRow {
  if (uid === 0) throw new Refusal(accessDenied())
  const row = state.users.rows.get(uid)
  if (row === undefined) throw new Refusal(pageNotFound())
  return row
}

/** As the caller may see it; without "administer users" a few properties are left. */
export function showUser(state: EthosceState, origin: string, row: UserRow, caller: UserRow): object {
  const isLimited = caller.rights === 'limited'
  const isAnonymous = row.uid === 0
  const groups = membershipProperties(state, origin, row.uid, isLimited)
  const url = isAnonymous ? null : `${origin}/user/${row.uid}`
  const start = { ...groups, uid: isAnonymous ? null : String(row.uid), name: isAnonymous ? 'Anonymous' : row.name }
  const links = { url, edit_url: url === null ? null : `${url}/edit` }
  const created = isAnonymous ? null : String(row.created)
  if (isLimited) return { ...start, ...links, created }
  const newest = Math.max(...state.profilesByUser.get(row.uid))
  return {
    ...start,
    mail: isAnonymous ? null : row.mail,
    ...links,
    last_access: null,
    last_login: row.login === 0 ? null : String(row.login),
    created,
    roles: isAnonymous ? [] : [authenticated, ...row.roles],
    status: isAnonymous ? null : String(row.status),
    theme: 'bartik',
    ...(newest > 0 ? { profile_profile: reference(state, origin, 'profile2', newest, String(newest)) } : {}),
  }
}

export function userCollection(state: EthosceState): Collection<UserRow> {
  const rowsOf = (ids: Iterable<number>) => [...ids].flatMap((id) => state.users.rows.get(id) ?? [])
  return {
    resource: 'user',
    columns: new Map<string, Column<UserRow>>([
      ['uid', { isNumber: true, read: (row) => row.uid }],
      ['name', { isNumber: false, read: (row) => row.name }],
      ['mail', { isNumber: false, read: (row) => row.mail }],
      ['status', { isNumber: true, read: (row) => row.status }],
      ['created', { isNumber: true, read: (row) => row.created }],
      ['last_access', { isNumber: true, read: () => 0 }],
      ['last_login', { isNumber: true, read: (row) => row.login }],
    ]),
    computed: new Set(['roles', 'theme', 'url', 'edit_url', 'profile_profile', 'og_user_node', 'og_membership']),
    candidates: (property, value) => {
      if (property === 'uid') return rowsOf([Number.parseInt(value, 10) || 0])
      if (property === 'name') return rowsOf(state.usersByName.get(state.fold(value)))
      if (property === 'mail') return rowsOf(state.usersByMail.get(state.fold(value)))
      return undefined
    },
    rows: () => state.users.rows.values(),
    id: (row) => row.uid,
    // The database walks its mail index when nothing sorts: never by uid.
    naturalOrder: (a, b) => {
      const [left, right] = [state.fold(a.mail), state.fold(b.mail)]
      return left < right ? -1 : left > right ? 1 : a.uid - b.uid
    },
  }
}
