import { createClient } from '../create-client.ts'
import type { Platform } from '../platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { type FigshareSettings, settings } from './settings.ts'

export const figshare: Platform<FigshareSettings> = {
  facts,
  settings,
  pathWords: new Set(['account', 'institution', 'accounts', 'users', 'roles', 'groups', 'profile']),
  connect(chosen, environment) {
    // The literal word `token`: `Bearer` is for OAuth. Never in the query, where it would be logged.
    const credentials = () => ({ authorization: `token ${chosen.token}` })
    return createConnection(createClient(environment.client, credentials), chosen, environment.clock)
  },
}
