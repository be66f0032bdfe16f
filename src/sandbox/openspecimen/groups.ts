/** User groups: lists of people of one institute, without rights. */
import type { SimulatorAnswer } from '../simulator.ts'
import { type CodedError, internalError, invalidRequest, json, Refusal, refusal, sentence } from './answers.ts'
import { page } from './directory.ts'
import { idOf, type Members, members, parseJson, parseMembers, textOf } from './input.ts'
import { contains } from './like.ts'
import { isSuper, requireInstituteAdmin } from './rights.ts'
import { type Installation, showSummary } from './show.ts'
import type { OpenspecimenUser, UserGroup } from './state.ts'

const maxNameLength = 64

/** Throws USER_GROUP_NOT_FOUND. */
export function groupById({ state }: Installation, id: number): UserGroup {
  const group = state.groups.get(id)
  if (group === undefined || group.activityStatus === 'Disabled') throw refusal('USER_GROUP_NOT_FOUND')
  return group
}

export function listGroups(
  installation: Installation,
  caller: OpenspecimenUser,
  query: URLSearchParams,
): SimulatorAnswer {
  const withStats = query.get('includeStats') === 'true'
  const rows = page(found(installation, caller, query), query)
  return json(rows.map((group) => ({ ...show(group), ...(withStats ? { noOfUsers: group.users.size } : {}) })))
}

export function countGroups(
  installation: Installation,
  caller: OpenspecimenUser,
  query: URLSearchParams,
): SimulatorAnswer {
  return json({ count: found(installation, caller, query).length })
}

export function showGroup(installation: Installation, id: number, query: URLSearchParams): SimulatorAnswer {
  const group = groupById(installation, id)
  if (query.get('includeUsers') !== 'true') return json(show(group))
  const users = [...group.users].flatMap((userId) => installation.state.users.get(userId) ?? [])
  const present = users.filter((user) => user.activityStatus !== 'Disabled')
  return json({ ...show(group), users: present.map((user) => showSummary(installation, user)) })
}

export function createGroup(installation: Installation, caller: OpenspecimenUser, body: string): SimulatorAnswer {
  const { state } = installation
  const input = parseMembers(body)
  const group: UserGroup = {
    id: state.nextId(),
    activityStatus: 'Active',
    users: new Set(),
    ...checkedFields(installation, input, undefined),
  }
  requireInstituteAdmin(caller, group.institute)
  for (const id of membersIn(installation, group, input.get('users') ?? [])) group.users.add(id)
  state.groups.set(group.id, group)
  return json(show(group))
}

/** A merge, although it is a PUT; `users` replaces the membership when present, and an empty list empties it. */
export function updateGroup(
  installation: Installation,
  caller: OpenspecimenUser,
  id: number,
  body: string,
): SimulatorAnswer {
  const group = groupById(installation, id)
  requireInstituteAdmin(caller, group.institute)
  const input = parseMembers(body)
  const fields = checkedFields(installation, input, group)
  const present = input.get('users') ?? [...group.users].map((userId) => ({ id: userId }))
  const users = membersIn(installation, { ...group, ...fields }, present)
  Object.assign(group, fields)
  group.users.clear()
  for (const userId of users) group.users.add(userId)
  return json(show(group))
}

/** `op=ADD|REMOVE`; all or nothing, and repeating it changes nothing. */
export function changeMembers(
  installation: Installation,
  caller: OpenspecimenUser,
  id: number,
  operation: string | null,
  body: string,
): SimulatorAnswer {
  const group = groupById(installation, id)
  requireInstituteAdmin(caller, group.institute)
  if (operation === 'ADD') {
    for (const userId of membersIn(installation, group, parseJson(body))) group.users.add(userId)
    return json(show(group))
  }
  if (operation !== 'REMOVE') throw invalidRequest('Invalid value of op')
  for (const user of resolved(installation, parseJson(body))) group.users.delete(user.id)
  return json(show(group))
}

/** Hidden and renamed, so that the name is free again. */
export function deleteGroup(installation: Installation, caller: OpenspecimenUser, id: number): SimulatorAnswer {
  const group = groupById(installation, id)
  requireInstituteAdmin(caller, group.institute)
  const suffix = `_${installation.state.now()}`
  group.name = group.name.slice(0, maxNameLength - suffix.length) + suffix
  group.activityStatus = 'Disabled'
  return json(show(group))
}

function found({ state }: Installation, caller: OpenspecimenUser, query: URLSearchParams): UserGroup[] {
  const text = query.get('query') ?? ''
  const institute = query.get('institute')
  const isLimited = query.get('listAll') !== 'true' && !isSuper(caller)
  return [...state.groups.values()]
    .filter((group) => group.activityStatus === 'Active')
    .filter((group) => text === '' || contains(group.name, text))
    .filter((group) => !institute || group.institute === institute)
    .filter((group) => !isLimited || group.institute === caller.instituteName)
    .sort((a, b) => a.name.localeCompare(b.name))
}

function checkedFields({ state, directory }: Installation, input: Members, existing: UserGroup | undefined) {
  const errors: CodedError[] = []
  const required = (name: string, before: string | undefined, code: string): string => {
    const value = input.has(name) ? textOf(input, name) : before
    if (value === undefined) errors.push({ code, message: sentence(code) })
    return value ?? ''
  }
  const name = required('name', existing?.name, 'USER_GROUP_NAME_REQUIRED')
  const description = required('description', existing?.description, 'USER_GROUP_DESC_REQUIRED')
  const institute = required('institute', existing?.institute, 'USER_GROUP_INST_REQUIRED')
  if (institute !== '' && !directory.institutes.has(institute)) {
    errors.push({ code: 'INSTITUTE_NOT_FOUND', message: sentence('INSTITUTE_NOT_FOUND') })
  }
  if (errors.length > 0) throw new Refusal(errors)
  if (name.length > maxNameLength) throw internalError()
  const holder = state.groupByName(name)
  if (holder !== undefined && holder.id !== existing?.id) throw refusal('USER_GROUP_DUP_NAME')
  return { name, description, institute }
}

/** Ids of the users; throws when one of them is unknown or of another institute. */
function membersIn(installation: Installation, group: { readonly institute: string }, list: unknown): number[] {
  const users = resolved(installation, list)
  if (users.some((user) => user.instituteName !== group.institute)) throw refusal(installation.knobs.groupInstituteCode)
  return users.map((user) => user.id)
}

function resolved({ state }: Installation, list: unknown): OpenspecimenUser[] {
  if (!Array.isArray(list)) throw invalidRequest()
  return list.map((item) => {
    const input = members(item)
    const id = idOf(input, 'id')
    const user = id === undefined ? state.byEmail(textOf(input, 'emailAddress') ?? '')[0] : state.users.get(id)
    if (user === undefined || user.activityStatus === 'Disabled') throw refusal('USER_ONE_OR_MORE_NOT_FOUND')
    return user
  })
}

function show(group: UserGroup) {
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    institute: group.institute,
    activityStatus: group.activityStatus,
  }
}
