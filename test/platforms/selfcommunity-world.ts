/** A community for the contract suite and for the tests of its module. */
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { selfcommunity } from '../../src/platforms/selfcommunity/selfcommunity.ts'
import {
  createSelfcommunity,
  type SelfcommunityOptions,
  type SelfcommunitySimulator,
} from '../../src/sandbox/selfcommunity/selfcommunity.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from '../sandbox/openapi.ts'
import { aClock } from './contract.ts'
import type { ConnectOptions, PlatformWorld, StartedWorld } from './world.ts'

export interface SelfcommunityWorld extends StartedWorld {
  readonly site: SelfcommunitySimulator
}

export async function startSelfcommunity(options: SelfcommunityOptions = {}): Promise<SelfcommunityWorld> {
  const clock = aClock()
  const credentials = { jwtSecret: 'a-secret-of-this-community-only-0123456789', userId: 2 }
  const site = createSelfcommunity({ now: clock.now, credentials, ...options })
  for (const name of ['staff', 'students']) site.addTag({ name })
  for (const name of ['Reading club', 'Staff room'])
    site.addGroup({ name, managedBy: 2, privacy: 'private', visible: false })
  const simulator = await startSimulator(site)
  const connections: PlatformConnection[] = []
  const connect = (chosen: ConnectOptions = {}): PlatformConnection => {
    const { jwtSecret, userId } = site.credentials
    const settings = {
      userId,
      jwtSecret: chosen.credentials === 'wrong' ? 'another secret' : jwtSecret,
      ...chosen.settings,
    }
    const pace = chosen.pace ?? createPace('off', clock)
    const client = { baseUrl: simulator.baseUrl, pace, timeoutMs: chosen.timeoutMs ?? 10_000 }
    const connection = selfcommunity.connect(selfcommunity.settings.parse(settings), { client, clock })
    connections.push(connection)
    return connection
  }
  return {
    site,
    simulator,
    connect,
    removeByHand: (id) => site.removeUser(Number(id)),
    plantProtected: () => '1',
    // Tokens live for minutes.
    endSignIn: () => clock.sleep(600_000),
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const selfcommunityWorld: PlatformWorld = {
  facts: selfcommunity.facts,
  faultsOf: (calls) => validateTraffic(calls, 'selfcommunity.openapi.yaml'),
  start: () => startSelfcommunity(),
  person: (key) =>
    new Map([
      ['ext_id', `idp-${key}`],
      ['username', `${key}-a24a7f`],
      ['email', `${key}@uni.example`],
      ['real_name', 'Ada Lovelace'],
      ['metadata.company_role', 'Analyst'],
      ['status', 'a'],
    ]),
  key: 'ext_id',
  change: new Map([
    ['email', 'ada.king@uni.example'],
    ['real_name', 'Ada King'],
    ['metadata.company_role', 'Countess'],
  ]),
  off: new Map([['status', 'b']]),
  on: new Map([['status', 'a']]),
  removedAs: new Map([['status', 'd']]),
  grants: { one: { tag: 'staff' }, two: { tag: 'students' }, unknown: { tag: 'staf' } },
  otherGrants: [
    {
      name: 'a group of the community',
      settings: { communityGroups: true },
      one: { group: 'Reading club' },
      two: { group: 'Staff room' },
      unknown: { group: 'Reading' },
    },
  ],
  grantCalls: { read: 1, unchanged: 1, give: 4, take: 3 },
  groups: { calls: { find: 1, read: 1, create: 3, rename: 4, remove: 3 } },
  lookAlikes: {
    attribute: 'ext_id',
    stored: 'jose',
    asked: ['josé', 'JOSE', 'jos', 'jose2', 'jos%', 'jos_', 'jos*', 'jo+se', '%', '', ' '],
  },
  texts: {
    attribute: 'real_name',
    accepted: ["O'Brien-Müller & <Söhne>", 'Łukasiewicz + 100% "x"', '王小明 🎓', 'x'.repeat(255)],
    refused: ['x'.repeat(256)],
  },
  afterSignInEnds: 'renewed',
}
