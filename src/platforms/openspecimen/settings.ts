import { z } from 'zod'

export const settings = z.strictObject({
  /** Log-in name of the service account: type SUPER and, since v8.1, an API user. */
  user: z.string().min(1),
  password: z.string().min(1),
  /** Authentication domain of the service account, not of the people. */
  domain: z.string().min(1).default('openspecimen'),
})

export type Settings = z.infer<typeof settings>
