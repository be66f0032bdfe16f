/** Shapes of SelfCommunity's answers: only what is used. */
import { z } from 'zod'

const text = z.string().nullish()
const id = z.int().positive()

/**
 * `User`, `AccountUser` and `ModerationUser` in one: they differ in whether they carry e-mail and status. Loose, because a
 * community's own metadata fields stand beside the others.
 */
export const user = z.looseObject({
  id,
  username: z.string(),
  // A number before 2026-02-09.
  ext_id: z.union([z.string(), z.int().transform(String)]).nullish(),
  email: text,
  real_name: text,
  avatar: text,
  /** a active, b blocked, d soft deleted, u unregistered (hard deleted). */
  status: z.enum(['a', 'b', 'd', 'u']).nullish(),
  deleted: z.boolean().nullish(),
  /** When a block of some days ends. */
  expire_at: text,
})
export type User = z.infer<typeof user>

export const signedUp = z.object({ id })

export const me = z.object({ id, username: z.string(), role: text })

const pageOf = <T extends z.ZodType>(row: T) => z.object({ count: z.int().nonnegative(), results: z.array(row) })

export const userPage = pageOf(user)

export const tag = z.object({
  id,
  name: z.string(),
  type: text,
  deleted: z.boolean().nullish(),
})
export type Tag = z.infer<typeof tag>
export const tagPage = pageOf(tag)

const communityGroup = z.object({ id, name: z.string(), managed_by: z.object({ id }).nullish() })
export type CommunityGroup = z.infer<typeof communityGroup>
export const communityGroupRows = z.array(communityGroup)
export const communityGroupPage = pageOf(communityGroup)

const message = z.object({ code: z.string().nullish() })
/** The shape that the official SDK parses; the documentation has none, so nothing may depend on it. */
export const errorList = z.object({
  errors: z.array(z.object({ field: text, code: text, messages: z.array(message).nullish() })),
})
