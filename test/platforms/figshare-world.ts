/** A Figshare portal for the contract suite and for the tests of its module. */
import type { Json } from '../../src/facts.ts'
import { figshare } from '../../src/platforms/figshare/figshare.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { createFigshare, type FigshareOptions, type FigshareSimulator } from '../../src/sandbox/figshare/figshare.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from '../sandbox/openapi.ts'
import { aClock } from './contract.ts'
import type { ConnectOptions, PlatformWorld, StartedWorld } from './world.ts'

export interface FigshareWorld extends StartedWorld {
  readonly portal: FigshareSimulator
}

export interface FigshareWorldOptions {
  readonly portal?: FigshareOptions
  /** Over the defaults of the module's settings. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export async function startFigshare(options: FigshareWorldOptions = {}): Promise<FigshareWorld> {
  const clock = aClock()
  const portal = createFigshare({ now: clock.now, ...options.portal })
  const simulator = await startSimulator(portal)
  const connections: PlatformConnection[] = []
  return {
    portal,
    simulator,
    connect(chosen: ConnectOptions = {}) {
      const token = chosen.credentials === 'wrong' ? 'wrong' : portal.credentials.token
      const settings = figshare.settings.parse({ token, ...options.settings, ...chosen.settings })
      const pace = chosen.pace ?? createPace('off', clock)
      const client = { baseUrl: simulator.baseUrl, pace, timeoutMs: chosen.timeoutMs ?? 10_000 }
      const connection = figshare.connect(settings, { client, clock })
      connections.push(connection)
      return connection
    },
    removeByHand: (id) => portal.removeAccount(Number(id)),
    plantTwins() {
      portal.addAccount({ email: 'twin@uni.example', last_name: 'One' })
      portal.addAccount({ email: 'Twin@uni.example', last_name: 'Two', is_active: false })
      return Promise.resolve({ attribute: 'email', value: 'twin@uni.example', wanted: new Map() })
    },
    plantProtected: () => String(portal.administrator.id),
    endSignIn: () => portal.withdrawToken(portal.credentials.token),
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const figshareWorld: PlatformWorld = {
  facts: figshare.facts,
  faultsOf: (calls) => validateTraffic(calls, 'figshare.openapi.yaml'),
  // The loosest of the filters that Figshare may have: rows have to be compared.
  start: () => startFigshare({ portal: { knobs: { filters: 'prefix' } } }),
  person: (key) =>
    new Map<string, Json>([
      ['institution_user_id', `${key}@uni.example`],
      ['email', `${key}.lovelace@uni.example`],
      ['first_name', 'Ada'],
      ['last_name', 'Lovelace'],
      ['job_title', 'Professor'],
      ['orcid', '0000-0002-1825-0097'],
      ['group_id', 101],
      ['quota', 5_368_709_120],
      ['is_active', true],
    ]),
  key: 'institution_user_id',
  change: new Map<string, Json>([
    ['last_name', 'King'],
    ['job_title', 'Dean'],
    ['group_id', 102],
  ]),
  off: new Map([['is_active', false]]),
  on: new Map([['is_active', true]]),
  grants: {
    one: { group_id: 110, role_id: 49 },
    two: { group_id: 101, role_id: 11 },
    unknown: { group_id: 110, role_id: 9_999 },
  },
  otherGrants: [
    {
      name: 'the association with a group',
      settings: { defaultGroupId: 100 },
      one: { group_id: 102 },
      two: { group_id: 110 },
      unknown: { group_id: 9_999 },
    },
  ],
  grantCalls: { read: 1, unchanged: 1, give: 3, take: 3 },
  lookAlikes: {
    attribute: 'institution_user_id',
    stored: 'jose+1@uni.example',
    asked: [
      'JOSE+1@uni.example',
      'josé+1@uni.example',
      'jose',
      'jose 1@uni.example',
      'jose%',
      'jose_1@uni.example',
      '*',
      '',
    ],
  },
  texts: {
    attribute: 'last_name',
    accepted: ["O'Brien-Müller & <Söhne>", 'Łukasiewicz + 100% "x"', '王小明', 'Ada 🎓', 'x'.repeat(252)],
    refused: ['x'.repeat(253), 'x'.repeat(256), ''],
  },
  afterSignInEnds: 'denied',
}
