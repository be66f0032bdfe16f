/** Shapes of DSpace's answers (HAL): only what is used. `_embedded` is absent when a page is empty. */
import { z } from 'zod'

const values = z.array(z.object({ value: z.string().nullish() })).nullish()

const page = z.object({
  number: z.int().nonnegative(),
  totalPages: z.int().nonnegative(),
  totalElements: z.int().nonnegative(),
})

export const group = z.object({
  uuid: z.string().min(1),
  name: z.string().nullish(),
  /** Administrator and Anonymous. */
  permanent: z.boolean().nullish(),
})
export type Group = z.infer<typeof group>

const groupRows = z.array(group).nullish()
export const groupPage = z.object({
  _embedded: z.object({ groups: groupRows, subgroups: groupRows }).nullish(),
  page,
})

export const eperson = z.object({
  uuid: z.string().min(1),
  email: z.string().nullish(),
  netid: z.string().nullish(),
  canLogIn: z.boolean(),
  requireCertificate: z.boolean().nullish(),
  metadata: z
    .object({
      'eperson.firstname': values,
      'eperson.lastname': values,
      'eperson.phone': values,
      'eperson.language': values,
    })
    .nullish(),
  /** Direct groups, when the server follows `embed=groups`. */
  _embedded: z.object({ groups: groupPage.nullish() }).nullish(),
})
export type EPerson = z.infer<typeof eperson>

export const epersonPage = z.object({ _embedded: z.object({ epersons: z.array(eperson).nullish() }).nullish(), page })

export const root = z.object({ dspaceVersion: z.string().nullish(), crisVersion: z.string().nullish() })

/** Spring Boot's error document. */
export const errorDocument = z.object({ message: z.string().nullish() })
