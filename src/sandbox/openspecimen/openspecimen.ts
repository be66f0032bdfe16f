/**
 * OpenSpecimen as a bridge sees it: the user administration of its REST interface, which answers 200 to everything that
 * went well, 400 with codes to everything else, and hides, renames and reactivates where one would not expect it.
 */
import { randomBytes } from 'node:crypto'
import type { PlatformLogic, SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { internalError, invalidRequest, json, page, Refusal, refusal, toAnswer } from './answers.ts'
import {
  createDirectory,
  type Directory,
  instituteByName,
  listDomains,
  listInstitutes,
  listRoles,
  listSites,
  showInstitute,
  siteByName,
} from './directory.ts'
import { changeMembers, countGroups, createGroup, deleteGroup, listGroups, showGroup, updateGroup } from './groups.ts'
import { listOf } from './input.ts'
import { createListing } from './listing.ts'
import { addAssignment, assignRole, changeAssignment, listAssignments, removeAssignment, subjectById } from './roles.ts'
import { type Installation, showSummary, showUser } from './show.ts'
import { builtInDomain, createSignIn, hasCredentials, type SignIn, systemLogin } from './signin.ts'
import {
  blankUser,
  createState,
  defaultKnobs,
  type Mail,
  type NewUser,
  type OpenspecimenKnobs,
  type OpenspecimenUser,
  type RoleAssignment,
  type UserGroup,
} from './state.ts'
import { changeStatus, deleteUsers, dependentsOf } from './status.ts'
import { bulkUpdate, changePassword, createUser, updateUser, userById } from './users.ts'

export interface OpenspecimenOptions {
  /** The service account's; random unless given. */
  readonly credentials?: { readonly user: string; readonly password: string; readonly domain?: string }
  readonly knobs?: Partial<OpenspecimenKnobs>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface OpenspecimenSimulator extends PlatformLogic {
  readonly credentials: { readonly user: string; readonly password: string; readonly domain: string }
  /** May be changed at any time. */
  readonly knobs: OpenspecimenKnobs
  /** Institutes, sites, protocols, roles, domains; may be changed at any time. */
  readonly directory: Directory
  /** By id, deleted ones included. */
  readonly users: ReadonlyMap<number, OpenspecimenUser>
  readonly groups: ReadonlyMap<number, UserGroup>
  /** Oldest first. */
  readonly mails: readonly Mail[]
  /** The account whose credentials these are: super administrator and API user. */
  readonly serviceUser: OpenspecimenUser
  /** By hand, without any check: twins are possible. */
  addUser(user: NewUser): OpenspecimenUser
  /** By hand, without any check and any mail. */
  changeUser(id: number, change: NewUser): OpenspecimenUser
  /** All but deleted ones, ignoring case. */
  usersByLogin(loginName: string, domainName: string): OpenspecimenUser[]
  usersByEmail(emailAddress: string): OpenspecimenUser[]
  addRole(userId: number, grant: { role: string; site?: string; collectionProtocol?: string }): RoleAssignment
  addGroup(group: { name: string; institute: string; description?: string; users?: readonly number[] }): UserGroup
  /** What refers to a user; 0 takes it away. */
  setDependents(userId: number, entity: string, count: number): void
  /** Ends the sessions of one user, or all, as a restart does. */
  endSessions(userId?: number): void
  sessionsOf(userId: number): number
}

interface Call {
  readonly installation: Installation
  readonly signIn: SignIn
  readonly listing: ReturnType<typeof createListing>
  readonly caller: OpenspecimenUser
  readonly request: SimulatorRequest
  /** Numbers of the path, in order. */
  readonly ids: readonly number[]
}

type Route = readonly [method: string, path: RegExp, answer: (call: Call) => SimulatorAnswer]
const idIn = (call: Call, place = 0) => call.ids[place] ?? 0
const user = (call: Call) => userById(call.installation, idIn(call))
const subject = (call: Call) => subjectById(call.installation, idIn(call))

const routes: readonly Route[] = [
  ['POST', /^\/sessions\/impersonate$/, (call) => call.signIn.impersonate(call.caller, call.request.body)],
  ['GET', /^\/users$/, (call) => call.listing.list(call.caller, call.request.query)],
  ['GET', /^\/users\/count$/, (call) => call.listing.count(call.caller, call.request.query)],
  ['GET', /^\/users\/current-user$/, (call) => json(showSummary(call.installation, call.caller))],
  ['POST', /^\/users$/, (call) => createUser(call.installation, call.caller, call.request.body)],
  ['DELETE', /^\/users$/, (call) => json(deleteUsers(call.installation, call.caller, usersOf(call)))],
  ['PUT', /^\/users\/bulk-update$/, (call) => bulkUpdate(call.installation, call.caller, call.request.body)],
  [
    'PUT',
    /^\/users\/password$/,
    (call) => changePassword(call.installation, call.signIn, call.caller, call.request.body),
  ],
  ['GET', /^\/users\/([^/]+)$/, (call) => json(showUser(call.installation, user(call)))],
  [
    'PUT',
    /^\/users\/([^/]+)$/,
    (call) => updateUser(call.installation, call.caller, idIn(call), call.request.body, false),
  ],
  [
    'PATCH',
    /^\/users\/([^/]+)$/,
    (call) => updateUser(call.installation, call.caller, idIn(call), call.request.body, true),
  ],
  ['DELETE', /^\/users\/([^/]+)$/, (call) => json(deleteUsers(call.installation, call.caller, [user(call)])[0])],
  [
    'PUT',
    /^\/users\/([^/]+)\/activity-status$/,
    (call) => changeStatus(call.installation, call.caller, user(call), call.request.body),
  ],
  ['GET', /^\/users\/([^/]+)\/dependent-entities$/, (call) => json(dependentsOf(user(call)))],
  ['GET', /^\/users\/([^/]+)\/institute$/, (call) => instituteOf(call)],
  ['GET', /^\/user-groups$/, (call) => listGroups(call.installation, call.caller, call.request.query)],
  ['POST', /^\/user-groups$/, (call) => createGroup(call.installation, call.caller, call.request.body)],
  ['GET', /^\/user-groups\/count$/, (call) => countGroups(call.installation, call.caller, call.request.query)],
  ['GET', /^\/user-groups\/([^/]+)$/, (call) => showGroup(call.installation, idIn(call), call.request.query)],
  [
    'PUT',
    /^\/user-groups\/([^/]+)$/,
    (call) => updateGroup(call.installation, call.caller, idIn(call), call.request.body),
  ],
  ['DELETE', /^\/user-groups\/([^/]+)$/, (call) => deleteGroup(call.installation, call.caller, idIn(call))],
  [
    'PUT',
    /^\/user-groups\/([^/]+)\/users$/,
    (call) =>
      changeMembers(call.installation, call.caller, idIn(call), call.request.query.get('op'), call.request.body),
  ],
  ['GET', /^\/rbac\/roles$/, (call) => listRoles(call.installation.directory, call.request.query)],
  ['GET', /^\/rbac\/subjects\/([^/]+)\/roles$/, (call) => listAssignments(call.installation, subject(call))],
  [
    'POST',
    /^\/rbac\/subjects\/([^/]+)\/roles$/,
    (call) => assignRole(call.installation, call.caller, subject(call), call.request.body),
  ],
  [
    'PUT',
    /^\/rbac\/subjects\/([^/]+)\/roles\/([^/]+)$/,
    (call) => changeAssignment(call.installation, call.caller, subject(call), idIn(call, 1), call.request.body),
  ],
  [
    'DELETE',
    /^\/rbac\/subjects\/([^/]+)\/roles\/([^/]+)$/,
    (call) => removeAssignment(call.installation, call.caller, subject(call), idIn(call, 1)),
  ],
  ['GET', /^\/institutes$/, (call) => listInstitutes(call.installation.directory, call.request.query)],
  ['GET', /^\/institutes\/byname$/, (call) => instituteByName(call.installation.directory, call.request.query)],
  ['GET', /^\/sites$/, (call) => listSites(call.installation.directory, call.request.query)],
  ['GET', /^\/sites\/byname$/, (call) => siteByName(call.installation.directory, call.request.query)],
]

export function createOpenspecimen(options: OpenspecimenOptions = {}): OpenspecimenSimulator {
  const knobs: OpenspecimenKnobs = { ...defaultKnobs, ...options.knobs }
  const state = createState(knobs, options.now ?? Date.now)
  const installation: Installation = { state, knobs, directory: createDirectory() }
  const signIn = createSignIn(installation)
  const listing = createListing(installation)
  const credentials = {
    domain: builtInDomain,
    ...(options.credentials ?? { user: 'scim-service', password: randomBytes(24).toString('hex') }),
  }

  const addUser = (given: NewUser) => {
    const { password, forcePasswordReset = false, failedLogins = 0, ...fields } = given
    const added = state.add({ ...blankUser(state.users.size + 1), ...fields })
    Object.assign(added, { password, forcePasswordReset, failedLogins })
    if (added.type === 'INSTITUTE') addAssignment(installation, added, { role: 'Administrator', systemRole: true })
    return added
  }
  const known = (id: number): OpenspecimenUser => {
    const found = state.users.get(id)
    if (found === undefined) throw new Error(`The simulator has no user ${id}.`)
    return found
  }

  addUser({
    loginName: systemLogin,
    firstName: 'System',
    lastName: 'User',
    emailAddress: 'system@openspecimen.example',
  })
  const serviceUser = addUser({
    loginName: credentials.user,
    password: credentials.password,
    domainName: credentials.domain,
    firstName: 'Provisioning',
    lastName: 'Service',
    emailAddress: 'provisioning@openspecimen.example',
    type: 'SUPER',
    apiUser: true,
    ipRange: '*',
  })

  const respond = (request: SimulatorRequest): SimulatorAnswer => {
    if (request.headers.origin !== undefined) return page(405, 'Method Not Allowed')
    const { method, path } = request
    if (method === 'POST' && path === '/sessions') return signIn.open(request.body)
    if (method === 'GET' && path === '/auth-domains') return listDomains(installation.directory, request.query)
    const caller = signIn.authenticate(request)
    if (caller === undefined) return page(401, 'Unauthorized', !hasCredentials(request))
    if (method === 'DELETE' && path === '/sessions') return signIn.close(request)
    if (path.startsWith('/user-groups') && !knobs.hasUserGroups) return page(404, 'Not Found')
    for (const [routeMethod, pattern, answer] of routes) {
      const parts = routeMethod === method ? pattern.exec(path) : null
      if (parts === null) continue
      return answer({ installation, signIn, listing, caller, request, ids: parts.slice(1).map(toId) })
    }
    return routes.some(([, pattern]) => pattern.test(path)) ? page(405, 'Method Not Allowed') : page(404, 'Not Found')
  }

  return {
    basePath: '/openspecimen/rest/ng',
    credentials,
    knobs,
    directory: installation.directory,
    users: state.users,
    groups: state.groups,
    mails: state.mails,
    serviceUser,
    answer(request) {
      try {
        return respond(request)
      } catch (cause) {
        if (cause instanceof Refusal) return toAnswer(cause)
        throw cause
      }
    },
    refuseCredentials: () => page(401, 'Unauthorized'),
    serverError: () => toAnswer(internalError()),
    // Signing in changes nothing that anybody would miss.
    isWrite: (request) =>
      request.method !== 'GET' && request.method !== 'HEAD' && !request.path.startsWith('/sessions'),
    skipIds: (count) => state.skipIds(count),
    addUser,
    changeUser(id, change) {
      state.change(known(id), change)
      return known(id)
    },
    usersByLogin: (loginName, domainName) => state.byLogin(loginName, domainName),
    usersByEmail: (emailAddress) => state.byEmail(emailAddress),
    addRole: (userId, grant) => addAssignment(installation, known(userId), grant),
    addGroup({ name, institute, description = name, users = [] }) {
      const group: UserGroup = {
        id: state.nextId(),
        name,
        institute,
        description,
        activityStatus: 'Active',
        users: new Set(users),
      }
      state.groups.set(group.id, group)
      return group
    },
    setDependents: (userId, entity, count) => known(userId).dependents.set(entity, count),
    endSessions: (userId) => signIn.endSessions(userId),
    sessionsOf: (userId) => signIn.sessionsOf(userId),
  }
}

function toId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalidRequest('Invalid path id')
  return Number(text)
}

function usersOf(call: Call): OpenspecimenUser[] {
  const ids = listOf(call.request.query, 'id').map(toId)
  if (ids.length === 0) throw invalidRequest('Required parameter id is missing')
  return ids.map((id) => userById(call.installation, id))
}

function instituteOf(call: Call): SimulatorAnswer {
  const institute = call.installation.directory.institutes.get(user(call).instituteName)
  if (institute === undefined) throw refusal('INSTITUTE_NOT_FOUND')
  return json(showInstitute(institute))
}
