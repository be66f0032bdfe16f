/** Shapes of OpenSpecimen's answers: only what is used, everything else ignored. Null members are left out by the platform. */
import { z } from 'zod'

const id = z.int().nonnegative()
const text = z.string().nullish()

/** `UserDetail`. */
export const user = z.object({
  id,
  loginName: z.string(),
  domainName: z.string(),
  emailAddress: text,
  firstName: text,
  lastName: text,
  instituteName: text,
  primarySite: text,
  phoneNumber: text,
  address: text,
  timeZone: text,
  type: text,
  apiUser: z.boolean().nullish(),
  activityStatus: z.string(),
})
export type User = z.infer<typeof user>

/** `UserSummary`, a row of a list: it says `domain` where `UserDetail` says `domainName`. */
export const userRows = z.array(z.object({ id, loginName: text, domain: text }))
export type UserRow = z.infer<typeof userRows>[number]

export const count = z.object({ count: z.int().nonnegative() })

export const session = z.object({ id, token: z.string().min(1) })
export const passwordResetRequired = z.object({ resetPasswordToken: z.string() })

export const errorList = z.array(z.object({ code: z.string() })).min(1)

const named = z.object({ name: z.string() })
export const subjectRoles = z.array(
  z.object({
    /** Of the assignment, not of the role. */
    id,
    role: named,
    site: named.nullish(),
    collectionProtocol: z.object({ shortTitle: text, title: text }).nullish(),
    /** The "Administrator" that comes with the type INSTITUTE. */
    systemRole: z.boolean().nullish(),
  }),
)
export type SubjectRole = z.infer<typeof subjectRoles>[number]

/** A row of the list; `noOfUsers` with `includeStats`. */
const groupRow = z.object({ id, name: z.string(), institute: text, noOfUsers: z.int().nonnegative().nullish() })
export const userGroupRows = z.array(groupRow)
export type UserGroupRow = z.infer<typeof groupRow>

/** `users` with `includeUsers`; absent when there are none. */
export const userGroup = z.object({
  id,
  name: z.string(),
  activityStatus: text,
  users: z.array(z.object({ id })).nullish(),
})
export type UserGroup = z.infer<typeof userGroup>
