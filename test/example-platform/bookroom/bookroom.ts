import { createClient } from '../../../src/platforms/create-client.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { type Settings, settings } from './settings.ts'

/** Bookroom. The base URL ends in `/api`. */
export const bookroom: Platform<Settings> = {
  facts,
  settings,
  pathWords: new Set(['me', 'roles', 'patrons']),
  connect: (chosen, { client }) =>
    // Asked for each request: the key may have been replaced in its file.
    createConnection(createClient(client, () => ({ authorization: `Bearer ${chosen.apiKey}` }))),
}
