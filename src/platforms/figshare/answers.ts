/** Shapes of Figshare's answers, reduced to what we use, and the attributes made of them. */
import { z } from 'zod'
import type { Attributes, Json } from '../../facts.ts'

/** In lists. Has no `group_id`, so a write always needs the whole account first. */
export const shortAccount = z.object({
  id: z.int(),
  email: z.string().nullish(),
  institution_user_id: z.string().nullish(),
})
export type ShortAccount = z.infer<typeof shortAccount>

export const shortAccounts = z.array(shortAccount)

export const account = shortAccount.extend({
  user_id: z.int().nullish(),
  first_name: z.string().nullish(),
  last_name: z.string().nullish(),
  group_id: z.int().nullish(),
  symplectic_user_id: z.string().nullish(),
  quota: z.number().nullish(),
  // An integer here, a boolean in request bodies.
  active: z.union([z.literal(0), z.literal(1)]),
})
export type FigshareAccount = z.infer<typeof account>

/** The public author's profile: what the profile call writes is read here. */
export const user = z.object({
  first_name: z.string().nullish(),
  last_name: z.string().nullish(),
  job_title: z.string().nullish(),
  orcid_id: z.string().nullish(),
})
export type FigshareUser = z.infer<typeof user>

/** Since 2025-09; before, a 201 had no body. */
export const created = z.object({ account_id: z.int() })

export const ownAccount = z.object({ id: z.int() })
export const institution = z.object({ id: z.int() })

/** By group id, as text. */
export const rolesByGroup = z.record(z.string().regex(/^\d+$/), z.array(z.object({ id: z.int() })))

export const failure = z.object({ message: z.string() })

const accountNames = ['institution_user_id', 'email', 'group_id', 'symplectic_user_id', 'quota', 'is_active', 'user_id']
const profileNames = ['first_name', 'last_name', 'job_title', 'orcid']

/** `attributes` with those that the account holds replaced by what was read. */
export function withAccount(attributes: Attributes, read: FigshareAccount): Map<string, Json> {
  return replaced(attributes, accountNames, {
    institution_user_id: read.institution_user_id,
    email: read.email,
    group_id: read.group_id,
    symplectic_user_id: read.symplectic_user_id,
    quota: read.quota,
    is_active: read.active === 1,
    user_id: read.user_id,
  })
}

/** `attributes` with those that the profile holds replaced by what was read. */
export function withProfile(attributes: Attributes, read: FigshareUser): Map<string, Json> {
  return replaced(attributes, profileNames, {
    first_name: read.first_name,
    last_name: read.last_name,
    job_title: read.job_title,
    orcid: read.orcid_id?.replace(/^https?:\/\/orcid\.org\//, ''),
  })
}

function replaced(
  attributes: Attributes,
  names: readonly string[],
  values: Readonly<Record<string, Json | undefined>>,
): Map<string, Json> {
  const result = new Map([...attributes].filter(([name]) => !names.includes(name)))
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== '') result.set(name, value)
  }
  return result
}
