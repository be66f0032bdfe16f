/** The `profile2` resource: a person's names and address, in a row of its own. */
import { crash, json, Refusal, text } from './answers.ts'
import { checkCharacters } from './database.ts'
import { showLocation, toLocation } from './locations.ts'
import { invalidValue, isRecord, noParent, readOnly, unknownProperty } from './property.ts'
import type { Collection, Column } from './query.ts'
import { reference } from './reference.ts'
import type { EthosceState, LocationRow, ProfileRow } from './state.ts'

/** A text field of the profile type. */
export interface ProfileField {
  readonly maxLength?: number
  /** A list field takes only these. */
  readonly values?: readonly string[]
}

export type ProfileFields = ReadonlyMap<string, ProfileField>

export const defaultProfileFields: ProfileFields = new Map([
  ['field_first_name', {}],
  ['field_middle_name', {}],
  ['field_last_name', {}],
  ['field_npi', { maxLength: 10 }],
  ['field_profession', { values: ['physician', 'nurse', 'pharmacist', 'other'] }],
])

const bundle = 'profile'
const locationField = 'field_profile_location'
const textLength = 255
const readOnlyProperties = new Set(['pid', 'url', 'created', 'changed'])

interface Change {
  user?: number | undefined
  label?: string
  readonly fields: Map<string, string | null>
  location?: { readonly value: LocationRow | undefined }
}

function toChange(
  state: EthosceState,
  known: ProfileFields,
  body: object,
  pid: number | undefined,
  type: string,
): Change {
  const place = `profile2(${pid ?? ''})`
  const change: Change = { fields: new Map() }
  let isInvalid = false
  for (const [property, value] of Object.entries(body)) {
    if (property === 'type') {
      if (pid !== undefined && value !== type) throw new Refusal(text(422, 'Unable to change type'))
    } else if (property === 'user') change.user = toUser(place, value)
    else if (property === 'label') change.label = String(value ?? '')
    else if (readOnlyProperties.has(property)) throw readOnly(property)
    else if (type !== bundle || !(known.has(property) || property === locationField)) throw unknownProperty(property)
    else if (property === locationField) change.location = { value: toLocation(state, value) }
    else {
      const written = toFieldText(place, property, value)
      isInvalid ||= !fits(known.get(property) ?? {}, written)
      change.fields.set(property, written)
    }
  }
  // Which field it was is not said.
  if (isInvalid) throw new Refusal(text(422, 'Field validation errors'))
  for (const [field, value] of change.fields) checkCharacters(state, field, value)
  return change
}

function toUser(place: string, value: unknown): number | undefined {
  const id = isRecord(value) ? value.id : value
  if (id === null || id === undefined) return undefined
  if (!/^\d+$/.test(String(id))) throw invalidValue(place, 'user', id)
  return Number(id)
}

function toFieldText(place: string, property: string, value: unknown): string | null {
  if (value === null) return null
  if (typeof value !== 'string' && typeof value !== 'number') throw invalidValue(place, property, value)
  return String(value)
}

function fits(field: ProfileField, value: string | null): boolean {
  if (value === null) return true
  if (field.values !== undefined && !field.values.includes(value)) return false
  return [...value].length <= (field.maxLength ?? textLength)
}

/** Nothing checks that the user exists or has no profile yet. */
export function createProfile(
  state: EthosceState,
  known: ProfileFields,
  origin: string,
  body: Readonly<Record<string, unknown>>,
) {
  if (typeof body.type !== 'string') throw new Refusal(text(406, 'Missing bundle: type'))
  const change = toChange(state, known, body, undefined, body.type)
  if (body.type !== bundle) throw new Refusal(crash())
  const pid = state.profiles.takeId()
  const now = state.seconds()
  state.profiles.rows.set(pid, {
    pid,
    type: bundle,
    label: change.label ?? 'Profile',
    user: change.user,
    created: now,
    changed: now,
    fields: change.fields,
    location: change.location?.value,
  })
  if (change.user !== undefined) state.profilesByUser.add(change.user, pid)
  return json(201, reference(state, origin, 'profile2', pid, String(pid)))
}

export function updateProfile(state: EthosceState, known: ProfileFields, pid: number, body: object): void {
  const row = state.profiles.rows.get(pid)
  const [first] = Object.keys(body)
  // A row that does not exist has no type, and so no fields.
  if (row === undefined && first !== undefined)
    throw first.startsWith('field_') ? unknownProperty(first) : noParent(first)
  if (row === undefined) return
  const change = toChange(state, known, body, pid, row.type)
  if ('user' in change) {
    if (row.user !== undefined) state.profilesByUser.remove(row.user, pid)
    row.user = change.user
    if (row.user !== undefined) state.profilesByUser.add(row.user, pid)
  }
  row.label = change.label ?? row.label
  for (const [field, value] of change.fields) row.fields.set(field, value)
  if (change.location !== undefined) row.location = change.location.value
  row.changed = state.seconds()
}

export function deleteProfile(state: EthosceState, pid: number): void {
  const row = state.profiles.rows.get(pid)
  if (row?.user !== undefined) state.profilesByUser.remove(row.user, pid)
  state.profiles.rows.delete(pid)
}

export function showProfile(state: EthosceState, known: ProfileFields, origin: string, row: ProfileRow): object {
  return {
    ...Object.fromEntries([...known.keys()].map((field) => [field, row.fields.get(field) ?? null])),
    [locationField]: showLocation(row.location),
    pid: String(row.pid),
    label: row.label,
    created: String(row.created),
    changed: String(row.changed),
    url: row.user === undefined ? null : `${origin}/user/${row.user}#profile-${row.type}`,
    user: row.user === undefined ? null : reference(state, origin, 'user', row.user, String(row.user)),
  }
}

export function profileCollection(state: EthosceState, known: ProfileFields): Collection<ProfileRow> {
  const fields = [...known.keys()].map((field): [string, Column<ProfileRow>] => [
    field,
    { isNumber: false, read: (row) => row.fields.get(field) ?? null },
  ])
  return {
    resource: 'profile2',
    columns: new Map<string, Column<ProfileRow>>([
      ['pid', { isNumber: true, read: (row) => row.pid }],
      ['user', { isNumber: true, read: (row) => row.user ?? null }],
      ['type', { isNumber: false, read: (row) => row.type }],
      ['label', { isNumber: false, read: (row) => row.label }],
      ['created', { isNumber: true, read: (row) => row.created }],
      ['changed', { isNumber: true, read: (row) => row.changed }],
      ...fields,
    ]),
    computed: new Set(['url']),
    candidates: (property, value) => {
      if (property !== 'user') return undefined
      const ids = state.profilesByUser.get(Number.parseInt(value, 10) || 0)
      return [...ids].flatMap((id) => state.profiles.rows.get(id) ?? [])
    },
    rows: () => state.profiles.rows.values(),
    id: (row) => row.pid,
  }
}
