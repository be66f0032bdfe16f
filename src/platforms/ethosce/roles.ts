/** Role numbers. There is no role resource: EthosCE derives a role's number from its machine name (Drupal's role_export). */
import { createHash } from 'node:crypto'
import { Refused } from '../../errors.ts'
import type { Grant } from '../../facts.ts'

/** Every signed-in person has it; it is in each list of roles that is read, and needs not be written. */
export const authenticatedRole = 2

const ownNames = [
  'course_author',
  'reviewer',
  'report_viewer',
  'site_admin',
  'course_admin',
  'support',
  'web_service',
] as const

export interface RoleNames {
  /** The name where it is known. */
  nameOf(rid: number): string | undefined
  /** The number that a grant stands for; remembers a name for later. `Refused` when it names no role. */
  ridOf(grant: Grant): number
}

/** The last seven hexadecimal digits of the machine name's MD5. */
export function toRid(machineName: string): number {
  return Number.parseInt(createHash('md5').update(machineName).digest('hex').slice(-7), 16)
}

export function createRoleNames(siteNames: readonly string[]): RoleNames {
  const names = new Map([...ownNames, ...siteNames].map((name) => [toRid(name), name]))
  return {
    nameOf: (rid) => names.get(rid),
    ridOf(grant) {
      const { role, rid } = grant
      if (typeof rid === 'number' && Number.isSafeInteger(rid) && rid > authenticatedRole) return rid
      if (typeof role !== 'string' || role === '') {
        throw new Refused(
          'An EthosCE grant needs role (a machine name) or rid (its number).',
          'ethosce: incomplete grant',
        )
      }
      names.set(toRid(role), role)
      return toRid(role)
    },
  }
}

/** Both forms of each role: whoever asks may have been told the name or the number, and compares by form. */
export function toGrants(rids: readonly number[], names: RoleNames): Grant[] {
  return rids.flatMap((rid): Grant[] => {
    const name = names.nameOf(rid)
    return name === undefined ? [{ rid }] : [{ role: name }, { rid }]
  })
}
