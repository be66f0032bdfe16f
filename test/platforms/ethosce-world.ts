/** An EthosCE site for the contract suite and for the tests of its module. */
import { ethosce } from '../../src/platforms/ethosce/ethosce.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { createEthosce, type EthosceOptions, type EthosceSimulator } from '../../src/sandbox/ethosce/ethosce.ts'
import { deleteUser } from '../../src/sandbox/ethosce/users.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from '../sandbox/openapi.ts'
import { aClock } from './contract.ts'
import type { ConnectOptions, PlatformWorld, StartedWorld } from './world.ts'

export interface EthosceWorld extends StartedWorld {
  readonly site: EthosceSimulator
}

export interface EthosceWorldOptions {
  readonly site?: EthosceOptions
  /** Over the defaults of the module's settings. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export async function startEthosce(options: EthosceWorldOptions = {}): Promise<EthosceWorld> {
  const clock = aClock()
  const site = createEthosce({ now: clock.now, ...options.site })
  const simulator = await startSimulator(site)
  const connections: PlatformConnection[] = []
  const connect = (chosen: ConnectOptions = {}): PlatformConnection => {
    const password = chosen.credentials === 'wrong' ? 'wrong' : site.credentials.password
    const settings = ethosce.settings.parse({
      user: site.credentials.user,
      password,
      ...options.settings,
      ...chosen.settings,
    })
    const pace = chosen.pace ?? createPace('off', clock)
    const client = { baseUrl: simulator.baseUrl, pace, timeoutMs: chosen.timeoutMs ?? 10_000 }
    const connection = ethosce.connect(settings, { client, clock })
    connections.push(connection)
    return connection
  }
  return {
    site,
    simulator,
    connect,
    removeByHand: (id) => deleteUser(site.state, Number(id), { endSessionsOf: () => {} }),
    plantTwins() {
      site.addUser({ name: 'twin-one', mail: 'twin@uni.example', status: 1, roles: [] })
      site.addUser({ name: 'twin-two', mail: 'Twin@uni.example', status: 0, roles: [] })
      return Promise.resolve({ attribute: 'mail', value: 'twin@uni.example', wanted: new Map() })
    },
    plantProtected: () => '2',
    endSignIn() {
      const service = site.userByName(site.credentials.user)
      if (service === undefined) throw new Error('the service account is there')
      service.password = 'changed by hand'
    },
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const ethosceWorld: PlatformWorld = {
  facts: ethosce.facts,
  faultsOf: (calls) => validateTraffic(calls, 'ethosce.openapi.yaml'),
  start: () => startEthosce(),
  person: (key) =>
    new Map<string, string | number>([
      ['name', key],
      ['mail', `${key}@uni.example`],
      ['authname', `sso-${key}`],
      ['module', 'simplesamlphp_auth'],
      ['field_first_name', 'Ada'],
      ['field_last_name', 'Lovelace'],
      ['location.street', '12 St James Square'],
      ['location.city', 'Philadelphia'],
      ['location.province', 'PA'],
      ['location.country', 'us'],
      ['status', 1],
    ]),
  key: 'authname',
  change: new Map<string, string | null>([
    ['mail', 'ada.king@uni.example'],
    ['field_last_name', 'King'],
    ['field_first_name', null],
    ['location.city', 'Boston'],
    ['location.province', 'MA'],
  ]),
  off: new Map([['status', 0]]),
  on: new Map([['status', 1]]),
  grants: { one: { role: 'reviewer' }, two: { role: 'course_author' }, unknown: { role: 'no_such_role' } },
  otherGrants: [
    {
      name: 'a role by its number',
      settings: {},
      one: { rid: 175031666 },
      two: { rid: 105847459 },
      unknown: { rid: 12345 },
    },
  ],
  grantCalls: { read: 1, unchanged: 1, give: 3, take: 3 },
  lookAlikes: {
    attribute: 'name',
    stored: 'jose',
    asked: ['josé', 'jos', 'jose2', 'jos%', 'jos_', 'jos*', 'jo+se', '%', '', ' '],
  },
  texts: {
    attribute: 'field_last_name',
    accepted: ["O'Brien-Müller & <Söhne>", 'Łukasiewicz + 100% "x"', '王小明', 'x'.repeat(255)],
    refused: ['x'.repeat(256), 'Ada 🎓'],
  },
  afterSignInEnds: 'denied',
}
