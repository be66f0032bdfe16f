import { createClient } from '../create-client.ts'
import type { Platform } from '../platform.ts'
import { createConnection } from './connection.ts'
import { facts } from './facts.ts'
import { createPeople } from './people.ts'
import { type EthosceSettings, settings } from './settings.ts'
import { createSite } from './site.ts'

export const ethosce: Platform<EthosceSettings> = {
  facts,
  settings,
  pathWords: new Set(['user', 'authmap', 'profile2']),
  connect(chosen, environment) {
    const basic = () => Buffer.from(`${chosen.user}:${chosen.password}`).toString('base64')
    const client = createClient(environment.client, () => ({ authorization: `Basic ${basic()}` }))
    const site = createSite(client, environment.client.pace, chosen.pageSize)
    const people = createPeople(site, chosen.profileType)
    return createConnection(
      site,
      people,
      chosen,
      () => environment.clock.now(),
      () => client.close(),
    )
  },
}
