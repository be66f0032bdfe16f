/** The `authmap` resource, EthosCE's addition: which external name belongs to which user. */
import { crash, json, Refusal, text } from './answers.ts'
import { checkCharacters, databaseError } from './database.ts'
import { invalidValue, noParent, readOnly, unknownProperty } from './property.ts'
import type { Collection, Column } from './query.ts'
import { reference } from './reference.ts'
import type { AuthmapRow, EthosceState } from './state.ts'

const nameLength = 128

interface Change {
  uid?: number
  authname?: string
  module?: string
}

function toChange(body: object, aid: number | undefined): Change {
  const place = `authmap(${aid ?? ''})`
  const change: Change = {}
  for (const [property, value] of Object.entries(body)) {
    if (property === 'aid')
      throw aid === undefined ? readOnly(property) : new Refusal(text(422, 'Unable to change aid'))
    if (property === 'uid') {
      if (!/^\d+$/.test(String(value))) throw invalidValue(place, property, value)
      change.uid = Number(value)
    } else if (property === 'authname' || property === 'module') {
      if (typeof value !== 'string' && typeof value !== 'number') throw invalidValue(place, property, value)
      change[property] = String(value)
    } else throw unknownProperty(property)
  }
  return change
}

/** The name is unique over the whole table, whatever the module. */
function checkName(state: EthosceState, authname: string, aid?: number): void {
  if (authname.length > nameLength) throw new Refusal(databaseError(state, "Data too long for column 'authname'"))
  checkCharacters(state, 'authname', authname)
  const others = [...state.authmapByName.get(state.fold(authname))].filter((other) => other !== aid)
  if (others.length === 0) return
  const status = state.knobs.duplicateAuthname
  // An insert that the unique key refuses has used up its id.
  if (aid === undefined) state.authmap.takeId()
  throw new Refusal(status === 500 ? databaseError(state, 'Duplicate entry') : text(status, 'authname is taken'))
}

export function createAuthmap(state: EthosceState, origin: string, body: object) {
  const change = toChange(body, undefined)
  const authname = change.authname ?? ''
  checkName(state, authname)
  const aid = state.authmap.takeId()
  // Neither the user nor the module is checked.
  const row = { aid, uid: change.uid ?? 0, authname, module: change.module ?? '' }
  state.authmap.rows.set(aid, row)
  state.authmapByName.add(state.fold(authname), aid)
  state.authmapByUser.add(row.uid, aid)
  return json(201, reference(state, origin, 'authmap', aid, String(aid)))
}

export function updateAuthmap(state: EthosceState, aid: number, body: object): void {
  if (!state.knobs.authmapWrites) throw new Refusal(text(403))
  const row = state.authmap.rows.get(aid)
  const [first] = Object.keys(body)
  if (row === undefined && first !== undefined) throw noParent(first)
  const change = toChange(body, aid)
  if (row === undefined) return
  if (change.authname !== undefined) {
    checkName(state, change.authname, aid)
    state.authmapByName.remove(state.fold(row.authname), aid)
    row.authname = change.authname
    state.authmapByName.add(state.fold(row.authname), aid)
  }
  if (change.uid !== undefined) {
    state.authmapByUser.remove(row.uid, aid)
    row.uid = change.uid
    state.authmapByUser.add(row.uid, aid)
  }
  row.module = change.module ?? row.module
}

/** A missing row is deleted with success, too. */
export function deleteAuthmap(state: EthosceState, aid: number): void {
  if (!state.knobs.authmapWrites) throw new Refusal(crash())
  const row = state.authmap.rows.get(aid)
  if (row === undefined) return
  state.authmapByName.remove(state.fold(row.authname), aid)
  state.authmapByUser.remove(row.uid, aid)
  state.authmap.rows.delete(aid)
}

export function showAuthmap(row: AuthmapRow): object {
  return { aid: String(row.aid), uid: String(row.uid), authname: row.authname, module: row.module }
}

export function authmapCollection(state: EthosceState): Collection<AuthmapRow> {
  const rowsOf = (ids: Iterable<number>) => [...ids].flatMap((id) => state.authmap.rows.get(id) ?? [])
  return {
    resource: 'authmap',
    columns: new Map<string, Column<AuthmapRow>>([
      ['aid', { isNumber: true, read: (row) => row.aid }],
      ['uid', { isNumber: true, read: (row) => row.uid }],
      ['authname', { isNumber: false, read: (row) => row.authname }],
      ['module', { isNumber: false, read: (row) => row.module }],
    ]),
    computed: new Set(),
    candidates: (property, value) => {
      if (property === 'uid') return rowsOf(state.authmapByUser.get(Number.parseInt(value, 10) || 0))
      if (property === 'authname') return rowsOf(state.authmapByName.get(state.fold(value)))
      return undefined
    },
    rows: () => state.authmap.rows.values(),
    id: (row) => row.aid,
  }
}
