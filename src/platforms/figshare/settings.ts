import { z } from 'zod'

/** The token is a personal token of an account with administration rights over the whole institution. */
export const settings = z.strictObject({
  token: z.string().min(1),
  /** Whether an account without `institution_user_id` may be adopted: its owner cannot log in by single sign-on. */
  adoptWithoutSsoKey: z.boolean().default(false),
  /** What `POST roles` does with roles that are not sent; undocumented, so a choice of the portal. */
  rolesPost: z.enum(['add', 'replace']).default('add'),
  /**
   * Group of accounts that the mapping puts into none: new ones, and those that lose a grant of `group_id` alone. Needed where
   * the mapping has such grants; reading grants then costs one call more.
   */
  defaultGroupId: z.int().positive().optional(),
  /** How long a new account may be missing from lists. */
  findDelayMs: z.int().min(0).max(60_000).default(5_000),
  /** Whether names written to the public profile also reach the account on this portal. */
  profilePropagates: z.boolean().default(false),
})

export type FigshareSettings = z.infer<typeof settings>
