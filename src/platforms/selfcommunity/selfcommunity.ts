import { createClient } from '../create-client.ts'
import type { Platform } from '../platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { type Settings, settings } from './settings.ts'

/** SelfCommunity. The base URL is the community's host, without a path. */
export const selfcommunity: Platform<Settings> = {
  facts,
  settings,
  pathWords: new Set([
    'api',
    'v2',
    'user',
    'me',
    'account',
    'search',
    'moderation',
    'status',
    'sso',
    'signup',
    'change_email',
    'provider',
    'tag',
    'group',
    'groups',
    'subscribe',
  ]),
  connect: (chosen, environment) =>
    createConnection(createClient(environment.client), chosen, () => environment.clock.now()),
}
