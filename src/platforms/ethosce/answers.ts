/** Shapes of EthosCE's answers, reduced to what we use. Numbers come as text, or as numbers, by place. */
import { z } from 'zod'

const number = z.union([z.int(), z.string().regex(/^\d+$/)]).transform(Number)

export const user = z.object({
  // Null: the anonymous user, uid 0.
  uid: number.nullable(),
  name: z.string().nullish(),
  // Left out, with the status, when the service account lacks "administer users".
  mail: z.string().nullish(),
  status: number.nullish(),
  roles: z.array(number).nullish(),
})
export type EthosceUser = z.infer<typeof user>

/** The link to single sign-on. */
export const authmap = z.object({ aid: number, uid: number, authname: z.string(), module: z.string().nullish() })
export type Authmap = z.infer<typeof authmap>

/** Field names differ per site, so they stay as they come. */
export const profile = z.looseObject({ pid: number, user: z.object({ id: number }).nullish() })
export type Profile = z.infer<typeof profile>

export const created = z.object({ id: number })

export function listOf<T>(row: z.ZodType<T>) {
  return z.object({ list: z.array(row), next: z.string().optional() })
}

/** References only (`full=0`), as the probe asks for them. With one row a page, the number of the last page is the count. */
export const references = z.object({ list: z.array(z.unknown()), last: z.string().nullish() })
