/** Creating, changing and replacing users, with the traps of each. */
import type { SimulatorAnswer } from '../simulator.ts'
import { type CodedError, internalError, json, Refusal, refusal, sentence } from './answers.ts'
import { toFields } from './fields.ts'
import { idOf, type Members, members, parseMembers, textOf } from './input.ts'
import { isSuper, requireAdminRight, requireInstituteAdmin, requireUserRight } from './rights.ts'
import { type Installation, showUser } from './show.ts'
import { builtInDomain, type SignIn, systemLogin } from './signin.ts'
import type { OpenspecimenUser, UserFields } from './state.ts'
import { moveTo, requireNoDependents } from './status.ts'

/** Throws USER_NOT_FOUND, for deleted users too. */
export function userById(installation: Installation, id: number): OpenspecimenUser {
  const user = installation.state.users.get(id)
  if (user === undefined || user.activityStatus === 'Disabled' || user.loginName === systemLogin) {
    throw refusal('USER_NOT_FOUND', 'User does not exist.')
  }
  return user
}

export function createUser(installation: Installation, caller: OpenspecimenUser, body: string): SimulatorAnswer {
  const { state, knobs } = installation
  const fields = toFields(installation, ownInstitute(caller, parseMembers(body)))
  requireAdminRight(caller, fields)
  requireUserRight(installation, caller, 'Create', fields.instituteName)
  const errors = [...takenLogin(installation, fields), ...takenEmail(installation, fields)]
  if (fields.apiUser && !isSuper(caller)) errors.push(coded('RBAC_ADMIN_RIGHTS_REQUIRED'))
  if (errors.length > 0) throw new Refusal(errors)
  checkColumns(installation, fields)
  const user = state.add(fields)
  if (user.type === 'INSTITUTE') addSystemRole(installation, user)
  if (user.type !== 'CONTACT' && knobs.mailsOnCreate) {
    state.mail('users_created', [user])
    state.mail('users_op_notif', state.administratorsOf(user.instituteName))
  }
  return json(showUser(installation, user))
}

/** `PATCH`: present members only. `PUT`: all, absent ones fall back to their defaults. */
export function updateUser(
  installation: Installation,
  caller: OpenspecimenUser,
  id: number,
  body: string,
  isPartial: boolean,
): SimulatorAnswer {
  const user = userById(installation, id)
  const input = ownInstitute(caller, parseMembers(body))
  write(installation, user, checkedUpdate(installation, caller, user, input, isPartial))
  return json(showUser(installation, user))
}

const bulkMembers = new Set([
  ...['instituteName', 'primarySite', 'type', 'manageForms', 'manageWfs', 'managePrintJobs'],
  ...['downloadLabelsPrintFile', 'dnd', 'timeZone', 'activityStatus'],
])

/** One transaction: when one user cannot be changed, none is. */
export function bulkUpdate(installation: Installation, caller: OpenspecimenUser, body: string): SimulatorAnswer {
  const input = parseMembers(body)
  const detail = new Map([...members(input.get('detail'))].filter(([name]) => bulkMembers.has(name)))
  const byId = listIn(input, 'ids').map((id) => userById(installation, Number(id)))
  const byEmail = listIn(input, 'names').map((name) => {
    const [user] = installation.state.byEmail(String(name))
    if (user === undefined) throw refusal('USER_ONE_OR_MORE_NOT_FOUND')
    return user
  })
  const changes = [...byId, ...byEmail].map(
    (user) => [user, checkedUpdate(installation, caller, user, detail, true)] as const,
  )
  for (const [user, fields] of changes) write(installation, user, fields)
  return json(changes.map(([user]) => showUser(installation, user)))
}

/** Sets a password of the built-in domain; somebody else's has to be changed at the next sign-in. */
export function changePassword(
  installation: Installation,
  signIn: SignIn,
  caller: OpenspecimenUser,
  body: string,
): SimulatorAnswer {
  const { state } = installation
  const input = parseMembers(body)
  const user = userById(installation, idOf(input, 'userId') ?? 0)
  if (user.domainName !== builtInDomain) throw refusal('USER_PASSWD_CHANGE_NA')
  const newPassword = textOf(input, 'newPassword')
  if (newPassword === undefined) throw refusal('USER_INVALID_PASSWD')
  const isOwn = user.id === caller.id
  if (isOwn && textOf(input, 'oldPassword') !== user.password) throw refusal('USER_INVALID_OLD_PASSWD')
  if (!isOwn) requireInstituteAdmin(caller, user.instituteName)
  state.change(user, { password: newPassword, forcePasswordReset: !isOwn, failedLogins: 0 })
  if (user.activityStatus === 'Locked' || user.activityStatus === 'Expired') {
    state.change(user, { activityStatus: 'Active' })
  }
  if (!isOwn) signIn.endSessions(user.id)
  state.mail('users_passwd_changed', [user])
  return json(true)
}

function checkedUpdate(
  installation: Installation,
  caller: OpenspecimenUser,
  user: OpenspecimenUser,
  input: Members,
  isPartial: boolean,
): UserFields {
  const fields = isPartial ? toFields(installation, input, user) : toFields(installation, input)
  requireAdminRight(caller, user, fields)
  requireUserRight(installation, caller, 'Update', user.instituteName)
  const errors: CodedError[] = []
  // Neither query excludes the user, so a change of letter case only finds the user itself; and a change of the
  // domain alone does not ask at all.
  if (fields.loginName !== user.loginName) errors.push(...takenLogin(installation, fields))
  if (fields.emailAddress !== user.emailAddress) {
    if (caller.type !== 'SUPER' && caller.type !== 'INSTITUTE') throw refusal('RBAC_INST_ADMIN_RIGHTS_REQ')
    if (caller.id === user.id) errors.push(coded('USER_EMAIL_SELF_UPDATE_NA'))
    errors.push(...takenEmail(installation, fields))
  }
  const touchesApiUser = fields.apiUser !== user.apiUser || user.apiUser
  if (touchesApiUser && !isSuper(caller)) errors.push(coded('RBAC_ADMIN_RIGHTS_REQUIRED'))
  if (errors.length > 0) throw new Refusal(errors)
  if (fields.activityStatus === 'Disabled') requireNoDependents(user)
  checkColumns(installation, fields)
  return fields
}

function write(installation: Installation, user: OpenspecimenUser, fields: UserFields): void {
  const { state, directory } = installation
  const { activityStatus, ...rest } = fields
  const hasMoved = rest.instituteName !== user.instituteName
  const wasAdmin = user.type === 'INSTITUTE'
  state.change(user, rest)
  if (hasMoved) {
    // Roles at sites and protocols of the former institute go; memberships stay and break later changes of the group.
    user.roles = user.roles.filter((role) => {
      if (role.site !== undefined) return directory.sites.get(role.site)?.instituteName === rest.instituteName
      return role.collectionProtocol === undefined
    })
  }
  if (wasAdmin && user.type !== 'INSTITUTE') user.roles = user.roles.filter((role) => !role.systemRole)
  if (!wasAdmin && user.type === 'INSTITUTE') addSystemRole(installation, user)
  moveTo(installation, user, activityStatus)
}

function addSystemRole(installation: Installation, user: OpenspecimenUser): void {
  user.roles.push({ id: installation.state.nextId(), role: 'Administrator', systemRole: true })
}

/** Callers that are not super administrators get their own institute, whatever they sent or left out; contacts excepted. */
function ownInstitute(caller: OpenspecimenUser, input: Members): Members {
  if (isSuper(caller) || textOf(input, 'type') === 'CONTACT') return input
  return new Map([...input, ['instituteName', caller.instituteName]])
}

function takenLogin({ state }: Installation, fields: UserFields): CodedError[] {
  if (fields.loginName === systemLogin) return [coded('USER_SYS_LOGIN_NAME')]
  if (state.byLogin(fields.loginName, fields.domainName).length === 0) return []
  return [{ code: 'USER_DUP_LOGIN_NAME', message: 'User with the same login name exists.' }]
}

function takenEmail({ state }: Installation, fields: UserFields): CodedError[] {
  if (state.byEmail(fields.emailAddress).length === 0) return []
  return [{ code: 'USER_DUP_EMAIL', message: 'User with the same email ID already exists.' }]
}

/** Nothing is checked before the database does. */
function checkColumns({ knobs }: Installation, fields: UserFields): void {
  for (const value of Object.values(fields)) {
    if (typeof value === 'string' && value.length > knobs.columnLength) throw internalError()
  }
}

function listIn(input: Members, name: string): unknown[] {
  const value = input.get(name)
  return Array.isArray(value) ? value : []
}

function coded(code: string): CodedError {
  return { code, message: sentence(code) }
}
