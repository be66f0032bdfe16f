import type { Role } from '../../access.ts'
import { covers } from './caller.ts'

/** OAuth scope → role. Microsoft's examples ask for `scim` and for `scim.readwrite`. */
const scopes: ReadonlyMap<string, Role> = new Map([
  ['scim', 'provision'],
  ['scim.readwrite', 'provision'],
  ['scim.read', 'read'],
  ['metrics', 'monitor'],
  ['console', 'operate'],
])

export function scopeOf(role: Role): string {
  for (const [scope, known] of scopes) if (known === role) return scope
  return ''
}

/** Undefined: a scope that we did not give. */
export function roleOfScope(scope: string): Role | undefined {
  return scopes.get(scope)
}

/**
 * The role that a client with `role` gets when it asks for `asked` (RFC 6749 §3.3); undefined: it asks for what there is
 * not, or for more than it has. Nothing asked, or Microsoft's `…/.default`: all that it has.
 */
export function grantedRole(role: Role, asked: string | undefined): Role | undefined {
  const words = (asked ?? '').split(' ').filter((word) => word !== '')
  const wanted = words.map((word) => (word.endsWith('/.default') ? role : scopes.get(word)))
  if (wanted.length === 0) return role
  if (!wanted.every((one) => one !== undefined && covers(role, one))) return undefined
  return wanted.find((one) => one === 'provision') ?? wanted[0]
}
