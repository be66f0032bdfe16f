/** Groups of the community: each has one manager, who alone decides about it. */
import type { SimulatorAnswer } from '../simulator.ts'
import { forbidden, json, noContent, taken } from './answers.ts'
import { type Call, groupOf, managedGroup, type Route, signedIn, touch, userOf } from './call.ts'
import { fieldReader, readFields } from './input.ts'
import { contains, page } from './pages.ts'
import { showGroup } from './show.ts'
import type { CommunityGroup } from './state.ts'

export const groupRoutes: readonly Route[] = [
  ['GET', /^\/group\/$/, listMine],
  ['POST', /^\/group\/$/, createGroup],
  ['GET', /^\/group\/search\/$/, searchGroups],
  ['GET', /^\/group\/(\d+)\/$/, showOne],
  ['PATCH', /^\/group\/(\d+)\/$/, (call) => updateGroup(call, 'part')],
  ['PUT', /^\/group\/(\d+)\/$/, (call) => updateGroup(call, 'whole')],
  ['DELETE', /^\/group\/(\d+)\/$/, deleteGroup],
  ['GET', /^\/user\/(\d+)\/groups\/$/, listGroupsOfUser],
]

/** Limits of the official interface. */
const nameLength = 40
const descriptionLength = 500

/** The groups of the caller, not all there are. */
function listMine(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  return page(call, groupsOf(call, caller.id), (group) => showGroup(call.state, caller, group))
}

function groupsOf(call: Call, userId: number): CommunityGroup[] {
  return [...call.state.groups.values()].filter((group) => group.members.get(userId) === 'subscribed')
}

function searchGroups(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  const search = call.request.query.get('search') ?? ''
  const rows = [...call.state.groups.values()].filter(
    (group) => (group.visible || group.members.has(caller.id)) && contains(group.name, search),
  )
  return page(call, rows, (group) => showGroup(call.state, caller, group))
}

function showOne(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  return json(200, showGroup(call.state, caller, groupOf(call)))
}

/** An array on paper, a page in the official client. Strangers see the visible ones. */
function listGroupsOfUser(call: Call): SimulatorAnswer {
  const user = userOf(call)
  const { state, caller } = call
  const rows = groupsOf(call, user.id).filter(
    (group) => group.visible || (caller !== undefined && group.members.has(caller.id)),
  )
  const show = (group: CommunityGroup) => showGroup(state, caller, group)
  return state.knobs.groupsOfUser === 'page' ? page(call, rows, show) : json(200, rows.map(show))
}

function createGroup(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  if (caller.status !== 'a') throw forbidden('Your account has been blocked.')
  const { invite, ...fields } = readGroup(call, ['name', 'privacy'])
  refuseTwin(call, fields.name)
  const group = call.state.addGroup({ ...fields, name: fields.name ?? '', managedBy: caller.id })
  for (const id of invite.filter((invited) => invited !== caller.id)) {
    group.members.set(id, 'invited')
    touch(call, id)
  }
  return json(201, showGroup(call.state, caller, group))
}

function updateGroup(call: Call, extent: 'part' | 'whole'): SimulatorAnswer {
  const group = managedGroup(call)
  const { invite: _unused, ...fields } = readGroup(call, extent === 'whole' ? ['name', 'privacy'] : [])
  refuseTwin(call, fields.name, group)
  Object.assign(group, fields)
  return json(200, showGroup(call.state, call.caller, group))
}

function deleteGroup(call: Call): SimulatorAnswer {
  call.state.groups.delete(managedGroup(call).id)
  return noContent
}

function refuseTwin(call: Call, name: string | undefined, own?: CommunityGroup): void {
  const isTwin = [...call.state.groups.values()].some((group) => group !== own && group.name === name)
  if (isTwin) throw taken(call.state.knobs, 'name')
}

type GroupFields = Partial<
  Pick<CommunityGroup, 'name' | 'description' | 'color' | 'privacy' | 'visible' | 'active'>
> & { readonly invite: readonly number[] }

function readGroup(call: Call, required: readonly string[]): GroupFields {
  const fields = readFields(call.request)
  const reader = fieldReader(fields)
  for (const name of required) reader.require(name)
  const name = reader.text('name', { least: 1, most: nameLength })
  const description = reader.text('description', { most: descriptionLength })
  const color = reader.text('color')
  const privacy = reader.choice('privacy', ['public', 'private'])
  if (privacy === 'private') reader.require('visible')
  const visible = reader.boolean('visible')
  const active = reader.boolean('active')
  const invite = reader.ids('invite_users') ?? []
  if (!invite.every((id) => call.state.users.has(id))) reader.report('invite_users', 'exist', 'No such user.')
  reader.finish()
  const given = { name, description, color, privacy, visible, active }
  return { ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)), invite }
}
