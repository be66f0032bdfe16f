/** The activity status: what may follow what, who is told, and the deletion that hides and renames. */
import type { SimulatorAnswer } from '../simulator.ts'
import { json, refusal } from './answers.ts'
import { parseStatus } from './fields.ts'
import { parseMembers, textOf } from './input.ts'
import { type Operation, requireAdminRight, requireUserRight } from './rights.ts'
import { type Installation, showUser } from './show.ts'
import type { ActivityStatus, OpenspecimenUser } from './state.ts'

const settable: ReadonlySet<string> = new Set(['Active', 'Locked', 'Closed', 'Archived', 'Disabled'])

/** `PUT /users/{id}/activity-status`. */
export function changeStatus(
  installation: Installation,
  caller: OpenspecimenUser,
  user: OpenspecimenUser,
  body: string,
): SimulatorAnswer {
  const text = textOf(parseMembers(body), 'activityStatus') ?? ''
  const status = parseStatus(text)
  if (status === undefined || !settable.has(text)) throw refusal('USER_STATUS_CHANGE_NOT_ALLOWED')
  requireRights(installation, caller, user, status === 'Disabled' ? 'Delete' : 'Update')
  if (status === 'Disabled') requireNoDependents(user)
  moveTo(installation, user, status)
  return json(showUser(installation, user))
}

/** One transaction: when one of the users cannot go, none goes. Answers with the users as they are afterwards. */
export function deleteUsers(
  installation: Installation,
  caller: OpenspecimenUser,
  users: readonly OpenspecimenUser[],
): ReturnType<typeof showUser>[] {
  for (const user of users) {
    requireRights(installation, caller, user, 'Delete')
    requireNoDependents(user)
  }
  for (const user of users) moveTo(installation, user, 'Disabled')
  return users.map((user) => showUser(installation, user))
}

/** Throws USER_REF_ENTITY_FOUND. */
export function requireNoDependents(user: OpenspecimenUser): void {
  if (dependentsOf(user).length > 0) throw refusal('USER_REF_ENTITY_FOUND')
}

export function dependentsOf(user: OpenspecimenUser): { name: string; count: number }[] {
  return [...user.dependents].filter(([, count]) => count > 0).map(([name, count]) => ({ name, count }))
}

/** Makes the transition and sends its mails. A lock from anywhere but Active is silently not made. */
export function moveTo(installation: Installation, user: OpenspecimenUser, status: ActivityStatus): void {
  const { state } = installation
  const before = user.activityStatus
  if (status === before || (status === 'Locked' && before !== 'Active')) return
  const told = [user, ...state.administratorsOf(user.instituteName)]
  if (status === 'Disabled') {
    state.mail('users_deleted', told)
    const suffix = `_${state.now()}`
    state.change(user, {
      activityStatus: status,
      loginName: user.loginName + suffix,
      emailAddress: user.emailAddress + suffix,
    })
    return
  }
  state.change(user, status === 'Active' ? { activityStatus: status, failedLogins: 0 } : { activityStatus: status })
  if (status === 'Locked') state.mail('users_locked', told)
  if (status === 'Active' && before === 'Locked') state.mail('users_unlocked', told)
  if (status === 'Active' && before === 'Pending') state.mail('users_request_approved', told)
}

function requireRights(
  installation: Installation,
  caller: OpenspecimenUser,
  user: OpenspecimenUser,
  operation: Operation,
): void {
  requireAdminRight(caller, user)
  if (user.apiUser && caller.type !== 'SUPER') throw refusal('RBAC_ADMIN_RIGHTS_REQUIRED')
  requireUserRight(installation, caller, operation, user.instituteName)
}
