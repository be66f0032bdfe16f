/** A repository for the contract suite and for the tests of its module. */
import { dspace } from '../../src/platforms/dspace/dspace.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { createDspace, type DspaceOptions, type DspaceSimulator } from '../../src/sandbox/dspace/dspace.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from '../sandbox/openapi.ts'
import { aClock } from './contract.ts'
import type { ConnectOptions, PlatformWorld, StartedWorld } from './world.ts'

export interface DspaceWorld extends StartedWorld {
  readonly site: DspaceSimulator
  /** Time passes for the repository and for the module. */
  pass(ms: number): Promise<void>
}

export async function startDspace(options: DspaceOptions = {}): Promise<DspaceWorld> {
  const clock = aClock()
  const site = createDspace({ now: clock.now, ...options })
  const simulator = await startSimulator(site)
  const connections: PlatformConnection[] = []
  const connect = (chosen: ConnectOptions = {}): PlatformConnection => {
    const { user, password } = site.credentials
    const settings = { user, password: chosen.credentials === 'wrong' ? 'wrong' : password, ...chosen.settings }
    const pace = chosen.pace ?? createPace('off', clock)
    const client = { baseUrl: simulator.baseUrl, pace, timeoutMs: chosen.timeoutMs ?? 10_000 }
    const connection = dspace.connect(dspace.settings.parse(settings), { client, clock })
    connections.push(connection)
    return connection
  }
  return {
    site,
    simulator,
    connect,
    pass: (ms) => clock.sleep(ms),
    removeByHand: (id) => site.removeEPerson(site.state.epersons.get(id)?.email ?? ''),
    plantProtected() {
      const person = site.addEPerson({ email: 'boss@uni.example', firstName: 'The', lastName: 'Boss', canLogIn: true })
      const administrators = site.group('Administrator')
      if (administrators === undefined) throw new Error('every repository has administrators')
      site.join(administrators, person)
      return person.uuid
    },
    endSignIn: () => site.restart(),
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const dspaceWorld: PlatformWorld = {
  facts: dspace.facts,
  faultsOf: (calls) => validateTraffic(calls, 'dspace.openapi.yaml'),
  start: () => startDspace(),
  person: (key) =>
    new Map<string, string | boolean>([
      ['email', `${key}@uni.example`],
      ['netid', `${key}@idp`],
      ['firstname', 'Ada'],
      ['lastname', 'Lovelace'],
      ['phone', '+44 20 7946 0000'],
      ['language', 'en'],
      ['canLogIn', true],
      ['requireCertificate', false],
    ]),
  key: 'email',
  change: new Map<string, string | null>([
    ['email', 'ada.king@uni.example'],
    ['lastname', 'King'],
    ['netid', 'king@idp'],
    ['phone', null],
  ]),
  off: new Map([['canLogIn', false]]),
  on: new Map([['canLogIn', true]]),
  grants: { one: { group: 'Researchers' }, two: { group: 'Library Staff' }, unknown: { group: 'Research' } },
  grantCalls: { read: 1, unchanged: 1, give: 4, take: 3 },
  groups: { protectedName: 'Anonymous', calls: { find: 1, read: 1, create: 3, rename: 4, remove: 3 } },
  lookAlikes: {
    attribute: 'email',
    stored: 'jose@uni.example',
    asked: [
      'josé@uni.example',
      'jos@uni.example',
      'jose@uni.exampl',
      'jos_@uni.example',
      'jos%',
      'jo+se@uni.example',
      '%',
      ' ',
    ],
  },
  texts: {
    attribute: 'email',
    accepted: ["o'brien+müller@uni.example", `${'x'.repeat(52)}@uni.example`],
    refused: [`${'x'.repeat(53)}@uni.example`],
  },
  afterSignInEnds: 'renewed',
  // The CSRF pair, then the log-in.
  signInCalls: 2,
}
