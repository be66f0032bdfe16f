import type { Role } from '../../access.ts'

/** Somebody who has proved who they are. */
export interface Caller {
  /** For audit and log: `token-1`, `token:okta`, `basic:okta`, `client:entra`, `entra`, `oidc:idp.uni.example`. */
  readonly name: string
  readonly role: Role
}

/** Whether the holder of `role` may do what `wanted` may. */
export function covers(role: Role, wanted: Role): boolean {
  return role === wanted || (role === 'provision' && wanted === 'read')
}

/** What a SCIM request needs; `route` is a name of the table in `route.ts`. */
export function neededRole(method: string, route: string): Role {
  return method === 'GET' || route.endsWith('.search') ? 'read' : 'provision'
}
