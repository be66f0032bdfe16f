import { createClient } from '../create-client.ts'
import type { Platform } from '../platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { type Settings, settings } from './settings.ts'

/** OpenSpecimen. The base URL ends in `/openspecimen/rest/ng` (the first part is the server's `app.name`). */
export const openspecimen: Platform<Settings> = {
  facts,
  settings,
  pathWords: new Set([
    'sessions',
    'users',
    'current-user',
    'activity-status',
    'count',
    'rbac',
    'subjects',
    'roles',
    'user-groups',
    'auth-domains',
    'institutes',
  ]),
  connect: (chosen, environment) =>
    createConnection(createClient(environment.client), chosen, () => environment.clock.now()),
}
