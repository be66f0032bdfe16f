/** An OpenSpecimen server for the contract suite and for the tests of its module. */
import { openspecimen } from '../../src/platforms/openspecimen/openspecimen.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import {
  createOpenspecimen,
  type OpenspecimenOptions,
  type OpenspecimenSimulator,
} from '../../src/sandbox/openspecimen/openspecimen.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from '../sandbox/openapi.ts'
import { aClock } from './contract.ts'
import type { ConnectOptions, PlatformWorld, StartedWorld } from './world.ts'

export interface OpenspecimenWorld extends StartedWorld {
  readonly site: OpenspecimenSimulator
}

export async function startOpenspecimen(options: OpenspecimenOptions = {}): Promise<OpenspecimenWorld> {
  const clock = aClock()
  const site = createOpenspecimen({ now: clock.now, ...options })
  for (const name of ['Biobankers', 'Readers']) site.addGroup({ name, institute: 'Example Hospital' })
  const simulator = await startSimulator(site)
  const connections: PlatformConnection[] = []
  const connect = (chosen: ConnectOptions = {}): PlatformConnection => {
    const { user, password, domain } = site.credentials
    const settings = { user, password: chosen.credentials === 'wrong' ? 'wrong' : password, domain, ...chosen.settings }
    const pace = chosen.pace ?? createPace('off', clock)
    const client = { baseUrl: simulator.baseUrl, pace, timeoutMs: chosen.timeoutMs ?? 10_000 }
    const connection = openspecimen.connect(openspecimen.settings.parse(settings), { client, clock })
    connections.push(connection)
    return connection
  }
  return {
    site,
    simulator,
    connect,
    removeByHand: (id) => void site.changeUser(Number(id), { activityStatus: 'Disabled' }),
    plantTwins() {
      site.addUser({ loginName: 'twin', domainName: 'example-saml', activityStatus: 'Closed' })
      site.addUser({ loginName: 'Twin', domainName: 'example-saml' })
      const wanted = new Map([['domainName', 'example-saml']])
      return Promise.resolve({ attribute: 'loginName', value: 'twin', wanted })
    },
    plantProtected: () => String(site.addUser({ loginName: 'boss', type: 'SUPER' }).id),
    endSignIn: () => site.endSessions(),
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const openspecimenWorld: PlatformWorld = {
  facts: openspecimen.facts,
  faultsOf: (calls) => validateTraffic(calls, 'openspecimen.openapi.yaml'),
  start: () => startOpenspecimen(),
  person: (key) =>
    new Map([
      ['loginName', key],
      ['domainName', 'example-saml'],
      ['emailAddress', `${key}@uni.example`],
      ['firstName', 'Ada'],
      ['lastName', 'Lovelace'],
      ['instituteName', 'Example Hospital'],
      ['primarySite', 'Main Biobank'],
      ['phoneNumber', '+44 20 7946 0000'],
      ['address', "12 St James's Square"],
      ['timeZone', 'Europe/London'],
      ['type', 'NONE'],
      ['activityStatus', 'Active'],
    ]),
  key: 'loginName',
  change: new Map<string, string | null>([
    ['emailAddress', 'ada.king@uni.example'],
    ['lastName', 'King'],
    ['phoneNumber', null],
    ['primarySite', 'Pathology Store'],
  ]),
  off: new Map([['activityStatus', 'Closed']]),
  on: new Map([['activityStatus', 'Active']]),
  grants: {
    one: { role: 'Technician', site: 'Main Biobank' },
    two: { role: 'Coordinator', site: 'Main Biobank', collectionProtocol: 'CRC' },
    unknown: { role: 'Nobody' },
  },
  otherGrants: [
    {
      name: 'a user group',
      settings: { userGroups: { institute: 'Example Hospital' } },
      one: { group: 'Biobankers' },
      two: { group: 'Readers' },
      unknown: { group: 'Biobank' },
    },
  ],
  grantCalls: { read: 1, unchanged: 1, give: 3, take: 3 },
  groups: {
    settings: { userGroups: { institute: 'Example Hospital', description: 'From the directory' } },
    calls: { find: 1, read: 1, create: 3, rename: 3, remove: 3 },
  },
  lookAlikes: {
    attribute: 'loginName',
    stored: 'jose_%x',
    asked: ['josé_%x', 'jose', 'jose_%', 'joseab%x', 'josea%x', 'jose_%xy', '%', '_', '\\', '', ' '],
  },
  texts: {
    attribute: 'lastName',
    accepted: ["O'Brien-Müller & <Söhne>", 'Łukasiewicz + 100% "x"', '王小明 🎓', 'x'.repeat(255)],
    refused: ['x'.repeat(256)],
  },
  afterSignInEnds: 'renewed',
}
