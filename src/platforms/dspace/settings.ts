import { z } from 'zod'

export const settings = z.strictObject({
  /** E-mail address of the service account: a member of Administrator with a password. */
  user: z.string().min(1),
  password: z.string().min(1),
  /** Whether the server is DSpace-CRIS; `auto` asks it. Only invitations differ. */
  flavour: z.enum(['auto', 'dspace', 'cris']).default('auto'),
})

export type Settings = z.infer<typeof settings>
