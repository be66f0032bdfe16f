import { z } from 'zod'

export const settings = z.strictObject({
  /** The community's secret. It signs a token for anybody of the community: a master key, never logged, never sent. */
  jwtSecret: z.string().min(1),
  /** Id of the service user: an administrator of the community, who also moderates. */
  userId: z.int().positive(),
  /**
   * Edits of a blocked account, which SelfCommunity does not allow: `keep` lets them wait, as drift, for the reactivation;
   * `refuse` answers 400 `mutability`. Nobody is unblocked in order to be edited.
   */
  editBlocked: z.enum(['keep', 'refuse']).default('keep'),
  /** Whether the mapping has grants that are groups of the community. Reading a person's grants then costs one call more. */
  communityGroups: z.boolean().default(false),
})

export type Settings = z.infer<typeof settings>
