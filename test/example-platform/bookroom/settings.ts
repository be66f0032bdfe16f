import { z } from 'zod'

export const settings = z.strictObject({
  /** Of an integration with the scopes `patrons:read` and `patrons:write`. */
  apiKey: z.string().min(1),
})

export type Settings = z.infer<typeof settings>
