import { z } from 'zod'

export const settings = z.strictObject({
  /** Log-in name of the service account: type SUPER and, since v8.1, an API user. */
  user: z.string().min(1),
  password: z.string().min(1),
  /** Authentication domain of the service account, not of the people. */
  domain: z.string().min(1).default('openspecimen'),
  /**
   * Needed where SCIM Groups or grants are user groups: OpenSpecimen makes none without an institute and a description, and
   * takes only members of that institute. Reading a person's grants then costs a call for each user group that has members.
   */
  userGroups: z
    .strictObject({
      institute: z.string().min(1),
      description: z.string().min(1).default('Provisioned by scim-bridge'),
    })
    .optional(),
})

export type Settings = z.infer<typeof settings>
