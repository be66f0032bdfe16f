/** Nodes and og_membership: who is in which group. */
import { crash, json, Refusal, text } from './answers.ts'
import { invalidValue, isRecord, noParent, readOnly, unknownProperty } from './property.ts'
import type { Collection, Column } from './query.ts'
import { reference } from './reference.ts'
import type { EthosceState, MembershipRow, NodeRow } from './state.ts'

const fieldName = 'og_user_node'
const membershipType = 'og_membership_type_default'

function membershipsOf(state: EthosceState, uid: number): MembershipRow[] {
  return [...state.membershipsByUser.get(uid)].flatMap((id) => state.memberships.rows.get(id) ?? [])
}

export function isMemberOfAllGroupsOf(state: EthosceState, caller: number, uid: number): boolean {
  const mine = new Set(membershipsOf(state, caller).map((row) => row.node))
  return membershipsOf(state, uid).every((row) => mine.has(row.node))
}

export function insertMembership(
  state: EthosceState,
  node: number,
  user: number,
  membershipState = 1,
  created?: number,
): MembershipRow {
  const id = state.memberships.takeId()
  const row = { id, node, user, state: membershipState, created: created ?? state.seconds() }
  state.memberships.rows.set(id, row)
  state.membershipsByUser.add(user, id)
  return row
}

export function insertNode(state: EthosceState, type: string, title: string, author: number, status = 1): NodeRow {
  const nid = state.nodes.takeId()
  const row = { nid, type, title, author, status, created: state.seconds() }
  state.nodes.rows.set(nid, row)
  return row
}

/** A user can be put only into groups that exist and that the caller is in. */
export function maySetGroups(state: EthosceState, nodes: readonly number[], caller: number): boolean {
  const mine = new Set(membershipsOf(state, caller).map((row) => row.node))
  return nodes.every((node) => state.nodes.rows.has(node) && mine.has(node))
}

/** Replaces a user's groups as a whole. */
export function setGroups(state: EthosceState, uid: number, nodes: readonly number[]): void {
  for (const row of membershipsOf(state, uid)) if (!nodes.includes(row.node)) removeMembership(state, row)
  const present = new Set(membershipsOf(state, uid).map((row) => row.node))
  for (const node of nodes) if (!present.has(node)) insertMembership(state, node, uid)
}

function removeMembership(state: EthosceState, row: MembershipRow): void {
  state.memberships.rows.delete(row.id)
  state.membershipsByUser.remove(row.user, row.id)
}

/** The nine group properties of a user; the numbered ones hold active, pending and blocked memberships. */
export function membershipProperties(state: EthosceState, origin: string, uid: number, isLimited: boolean): object {
  const rows = membershipsOf(state, uid)
  const nodes = rows.map((row) => reference(state, origin, 'node', row.node, String(row.node)))
  const visible = isLimited ? [] : rows
  const inState = (wanted?: number) =>
    visible
      .filter((row) => wanted === undefined || row.state === wanted)
      .map((row) => reference(state, origin, 'og_membership', row.id, row.id))
  const lists = (name: string) => ({
    [name]: inState(),
    [`${name}__1`]: inState(1),
    [`${name}__2`]: inState(2),
    [`${name}__3`]: inState(3),
  })
  return { og_user_node: nodes, ...lists('og_membership'), ...lists('og_user_node__og_membership') }
}

export function createMembership(state: EthosceState, origin: string, body: Readonly<Record<string, unknown>>) {
  if (body.type !== membershipType) throw new Refusal(text(406, 'Missing bundle: type'))
  const node = idOf(body.group)
  const user = idOf(body.entity)
  const known = new Set(['group', 'entity', 'type', 'field_name', 'state', 'created', 'language'])
  for (const property of Object.keys(body)) if (!known.has(property)) throw unknownProperty(property)
  const isNew = !membershipsOf(state, user).some((row) => row.node === node)
  const fits = state.nodes.rows.has(node) && state.users.rows.has(user) && body.field_name === fieldName
  if (!isNew || !fits) throw new Refusal(crash())
  const created = typeof body.created === 'number' ? body.created : undefined
  const row = insertMembership(state, node, user, Number(body.state ?? 1), created)
  return json(201, reference(state, origin, 'og_membership', row.id, String(row.id)))
}

function idOf(value: unknown): number {
  if (isRecord(value)) return Number(value.id)
  throw new Refusal(crash())
}

export function updateMembership(state: EthosceState, id: number, body: object): void {
  const row = state.memberships.rows.get(id)
  for (const [property, value] of Object.entries(body)) {
    if (property !== 'state') throw property === 'id' ? readOnly(property) : unknownProperty(property)
    if (row === undefined) throw noParent(property)
    if (!/^\d+$/.test(String(value))) throw invalidValue(`og_membership(${id})`, property, value)
    row.state = Number(value)
  }
}

export function deleteMembership(state: EthosceState, id: number): void {
  const row = state.memberships.rows.get(id)
  if (row !== undefined) removeMembership(state, row)
}

export function showMembership(state: EthosceState, origin: string, row: MembershipRow): object {
  const type = {
    uri: `${origin}/og_membership_type/${membershipType}`,
    id: membershipType,
    resource: 'og_membership_type',
  }
  return {
    og_membership_request: null,
    id: String(row.id),
    type,
    entity_type: 'user',
    group_type: 'node',
    state: String(row.state),
    created: String(row.created),
    field_name: fieldName,
    language: 'en',
    group: reference(state, origin, 'node', row.node, String(row.node)),
    entity: reference(state, origin, 'user', row.user, String(row.user)),
  }
}

export function createNode(state: EthosceState, origin: string, body: Readonly<Record<string, unknown>>) {
  if (typeof body.type !== 'string') throw new Refusal(text(406, 'Missing bundle: type'))
  const known = new Set(['type', 'title', 'author', 'status'])
  for (const property of Object.keys(body)) if (!known.has(property)) throw unknownProperty(property)
  const node = insertNode(
    state,
    body.type,
    String(body.title ?? ''),
    Number(body.author ?? 0),
    Number(body.status ?? 1),
  )
  return json(201, reference(state, origin, 'node', node.nid, String(node.nid)))
}

export function showNode(state: EthosceState, origin: string, row: NodeRow): object {
  const members = (wanted?: number) =>
    [...state.memberships.rows.values()]
      .filter((membership) => membership.node === row.nid && (wanted === undefined || membership.state === wanted))
      .map((membership) => reference(state, origin, 'user', membership.user, String(membership.user)))
  return {
    group_group: true,
    members: members(),
    members__1: members(1),
    members__2: members(2),
    members__3: members(3),
    nid: String(row.nid),
    vid: String(row.nid),
    is_new: false,
    type: row.type,
    title: row.title,
    language: 'und',
    url: `${origin}/node/${row.nid}`,
    edit_url: `${origin}/node/${row.nid}/edit`,
    status: String(row.status),
    promote: '1',
    sticky: '0',
    created: String(row.created),
    changed: String(row.created),
    author: reference(state, origin, 'user', row.author, String(row.author)),
    body: { value: '', summary: '', format: null },
  }
}

export function membershipCollection(state: EthosceState): Collection<MembershipRow> {
  return {
    resource: 'og_membership',
    columns: new Map<string, Column<MembershipRow>>([
      ['id', { isNumber: true, read: (row) => row.id }],
      ['state', { isNumber: true, read: (row) => row.state }],
      ['created', { isNumber: true, read: (row) => row.created }],
      ['field_name', { isNumber: false, read: () => fieldName }],
      ['type', { isNumber: false, read: () => membershipType }],
    ]),
    computed: new Set(['group', 'entity', 'og_membership_request']),
    candidates: () => undefined,
    rows: () => state.memberships.rows.values(),
    id: (row) => row.id,
  }
}

export function nodeCollection(state: EthosceState): Collection<NodeRow> {
  return {
    resource: 'node',
    columns: new Map<string, Column<NodeRow>>([
      ['nid', { isNumber: true, read: (row) => row.nid }],
      ['type', { isNumber: false, read: (row) => row.type }],
      ['title', { isNumber: false, read: (row) => row.title }],
      ['author', { isNumber: true, read: (row) => row.author }],
      ['status', { isNumber: true, read: (row) => row.status }],
    ]),
    computed: new Set(['url', 'edit_url', 'members']),
    candidates: () => undefined,
    rows: () => state.nodes.rows.values(),
    id: (row) => row.nid,
  }
}
