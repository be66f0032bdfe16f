import { z } from 'zod'

/** A service account of the site; its name has to begin with `restws`, and it needs the role "web service". */
export const settings = z.strictObject({
  user: z.string().regex(/^restws/, 'the name of an EthosCE service account begins with restws'),
  password: z.string().min(1),
  profileType: z.string().min(1).default('profile'),
  profileLabel: z.string().min(1).default('Profile'),
  /** What to do when a person's `authname` or `module` changes: refuse, change the row, or make it anew. */
  ssoKeyChange: z.enum(['refuse', 'put', 'recreate']).default('refuse'),
  /** Machine names of roles of this site beyond EthosCE's own: role numbers can be computed from names, not back. */
  roleNames: z.array(z.string().min(1)).default([]),
  /** Rows of one page; larger than 100 is cut silently. */
  pageSize: z.int().min(1).max(100).default(100),
})

export type EthosceSettings = z.infer<typeof settings>
