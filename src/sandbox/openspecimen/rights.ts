/** Who may do what to users: super administrators all, institute administrators and holders of a User right their institute. */
import { accessDenied, refusal } from './answers.ts'
import type { Installation } from './show.ts'
import type { OpenspecimenUser, UserFields } from './state.ts'

export type Operation = 'Create' | 'Read' | 'Update' | 'Delete'

export function isSuper(caller: OpenspecimenUser): boolean {
  return caller.type === 'SUPER'
}

/** Throws RBAC_ACCESS_DENIED unless the caller may do this to users of the institute. */
export function requireUserRight(
  installation: Installation,
  caller: OpenspecimenUser,
  operation: Operation,
  instituteName: string,
): void {
  if (isSuper(caller)) return
  if (caller.instituteName !== instituteName) throw accessDenied()
  if (caller.type === 'INSTITUTE') return
  const hasRight = caller.roles.some((assignment) =>
    installation.directory.roles
      .get(assignment.role)
      ?.acl.some((entry) => entry.resource === 'User' && entry.operations.includes(operation)),
  )
  if (!hasRight) throw accessDenied()
}

/** Only super administrators touch super administrators and API users; only administrators touch administrators. */
export function requireAdminRight(
  caller: OpenspecimenUser,
  ...users: readonly (Pick<UserFields, 'type' | 'apiUser'> | undefined)[]
): void {
  if (isSuper(caller)) return
  if (users.some((user) => user?.type === 'SUPER')) throw refusal('RBAC_ADMIN_RIGHTS_REQUIRED')
  if (caller.type !== 'INSTITUTE' && users.some((user) => user?.type === 'INSTITUTE')) {
    throw refusal('RBAC_INST_ADMIN_RIGHTS_REQ')
  }
}

/** For grants and user groups of an institute. */
export function requireInstituteAdmin(caller: OpenspecimenUser, instituteName: string): void {
  if (isSuper(caller)) return
  if (caller.type !== 'INSTITUTE' || caller.instituteName !== instituteName) throw accessDenied()
}
