import { z } from 'zod'
import { administrators } from './accounts.ts'

/** Administrators by nesting would be seen by nobody who looks at the group of administrators. */
const byName = 'no group is nested into Administrator: name Administrator in roleGroups instead'

function isNoAdministration(name: string): boolean {
  return name !== administrators
}

export const settings = z.strictObject({
  /** E-mail address of the service account: a member of Administrator with a password. */
  user: z.string().min(1),
  password: z.string().min(1),
  /** Whether the server is DSpace-CRIS; `auto` asks it. Only invitations differ. */
  flavour: z.enum(['auto', 'dspace', 'cris']).default('auto'),
  /**
   * Groups that carry rights of their own (`COLLECTION_…`, `COMMUNITY_…`, `Administrator`) and whose direct membership may be
   * given all the same. They are never renamed or deleted, and the last administrator is never taken.
   */
  roleGroups: z.array(z.string().min(1)).max(1_000).default([]),
  /** Groups of ours that belong into others, by name: so they get the rights of role groups. */
  nest: z
    .array(z.strictObject({ group: z.string().min(1), into: z.string().min(1).refine(isNoAdministration, byName) }))
    .max(1_000)
    .default([]),
})

export type Settings = z.infer<typeof settings>
