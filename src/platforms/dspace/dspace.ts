import { createClient } from '../create-client.ts'
import type { Platform } from '../platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { type Settings, settings } from './settings.ts'

/** DSpace 7 to 10 and DSpace-CRIS. The base URL ends in `/server`, where the REST API is, not the user interface. */
export const dspace: Platform<Settings> = {
  facts,
  settings,
  pathWords: new Set([
    'api',
    'authn',
    'login',
    'status',
    'eperson',
    'epersons',
    'groups',
    'subgroups',
    'registrations',
    'search',
    'byEmail',
    'byMetadata',
    'security',
    'csrf',
  ]),
  connect: (chosen, { client, clock }) =>
    createConnection(createClient(client), chosen, client.baseUrl, () => clock.now()),
}
