/** Groups: find, show, create, rename, delete. Permanent groups and those of a collection's role keep their name. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, broken, empty, hal, notFound, Refusal, unprocessable } from './answers.ts'
import { columnLength, flag, readMetadata, readObject, text } from './body.ts'
import type { Call, Route } from './call.ts'
import { page, parameter, showGroup } from './hal.ts'
import { isLike } from './like.ts'
import { patchMetadata } from './metadatapatch.ts'
import { readOperations } from './patch.ts'
import { administers, isWithin, managesGroups, require, requireAdministrator } from './rights.ts'
import type { Group } from './state.ts'
import { uuidPattern } from './uuid.ts'

const byId = new RegExp(`^/api/eperson/groups/(${uuidPattern})$`, 'i')
const properties = ['id', 'uuid', 'name', 'handle', 'metadata', 'permanent', 'type']

export const groupRoutes: readonly Route[] = [
  ['GET', /^\/api\/eperson\/groups$/, list],
  ['POST', /^\/api\/eperson\/groups$/, create],
  ['GET', /^\/api\/eperson\/groups\/search\/byMetadata$/, search],
  ['GET', /^\/api\/eperson\/groups\/search\/isNotMemberOf$/, searchOutside],
  ['GET', byId, (call) => hal(200, showGroup(call, readableGroup(call)))],
  ['PATCH', byId, patch],
  ['DELETE', byId, remove],
  ['GET', new RegExp(`^/api/eperson/groups/(${uuidPattern})/object$`, 'i'), showObject],
]

export function groupOf(call: Call): Group {
  const group = call.state.groups.get(call.ids[0] ?? '')
  if (group !== undefined) return group
  // A stranger must not learn which ids exist.
  requireAdministrator(call)
  throw notFound()
}

/** Members may see their own groups. */
export function readableGroup(call: Call): Group {
  const group = groupOf(call)
  const { state, caller } = call
  require(call, caller !== undefined && (administers(state, caller, group) || isWithin(state, group, caller)))
  return group
}

function list(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  const groups = [...call.state.groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return page(call, 'groups', groups, (group) => showGroup(call, group))
}

function search(call: Call): SimulatorAnswer {
  require(call, managesGroups(call.state, call.caller))
  return page(call, 'groups', matching(call), (group) => showGroup(call, group))
}

function searchOutside(call: Call): SimulatorAnswer {
  if (!call.knobs.isNotMemberOf) throw notFound()
  require(call, managesGroups(call.state, call.caller))
  const uuid = parameter(call, 'group').toLowerCase()
  const parent = call.state.groups.get(uuid)
  const found = matching(call).filter((group) => group.uuid !== uuid && parent?.subgroups.has(group.uuid) !== true)
  return page(call, 'groups', found, (group) => showGroup(call, group))
}

/** In no order that a client could rely on. */
function matching(call: Call): Group[] {
  const query = parameter(call, 'query')
  if (new RegExp(`^${uuidPattern}$`, 'i').test(query)) {
    const group = call.state.groups.get(query.toLowerCase())
    return group === undefined ? [] : [group]
  }
  return [...call.state.groups.values()].filter((group) => isLike(group.name, query)).reverse()
}

function create(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  const fields = readObject(call, properties)
  const name = text(fields, 'name')
  if (name === undefined || name.trim() === '') throw unprocessable('The name of the group is required')
  if (flag(fields, 'permanent')) throw unprocessable('A group cannot be created as permanent')
  const metadata = readMetadata(fields.get('metadata'))
  requireFreeName(call, name)
  return hal(201, showGroup(call, call.state.addGroup({ name, metadata })))
}

/** Names are compared with case, and only the database compares them. */
function requireFreeName(call: Call, name: string, group?: Group): void {
  if (name.length > columnLength.name) throw broken()
  const owner = call.state.byName(name)
  if (owner !== undefined && owner !== group) throw new Refusal(call.knobs.duplicateStatus, 'An exception has occurred')
}

function patch(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  const group = groupOf(call)
  const metadata = new Map(group.metadata)
  let name = group.name
  for (const operation of readOperations(call)) {
    if (operation.path.startsWith('/metadata')) {
      patchMetadata(metadata, operation)
      continue
    }
    if (operation.op !== 'replace' || operation.path !== '/name') {
      throw badRequest(`The operation ${operation.op} on ${operation.path} is not supported`)
    }
    if (isProtected(group)) throw unprocessable('The group may not be renamed')
    const wanted = operation.value
    if (typeof wanted !== 'string' || wanted.trim() === '') throw unprocessable('The name of the group is required')
    name = wanted
  }
  requireFreeName(call, name, group)
  call.state.rename(group, name)
  group.metadata = metadata
  return hal(200, showGroup(call, group))
}

function isProtected(group: Group): boolean {
  return group.permanent || group.object !== undefined
}

function remove(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  const group = groupOf(call)
  if (isProtected(group)) throw unprocessable('The group may not be deleted')
  call.state.removeGroup(group)
  return empty(204)
}

function showObject(call: Call): SimulatorAnswer {
  const { object } = readableGroup(call)
  if (object === undefined) return empty(204)
  const plural = object.type === 'collection' ? 'collections' : 'communities'
  return hal(200, {
    id: object.uuid,
    uuid: object.uuid,
    name: object.name,
    handle: null,
    metadata: {},
    type: object.type,
    _links: { self: { href: `${call.baseUrl}/api/core/${plural}/${object.uuid}` } },
  })
}
