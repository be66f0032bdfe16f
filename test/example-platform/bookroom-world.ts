/** Bookroom for the contract suite and for the tests of its module. */
import type { Json } from '../../src/facts.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { aClock } from '../platforms/contract.ts'
import type { PlatformWorld, StartedWorld } from '../platforms/world.ts'
import { bookroom } from './bookroom/bookroom.ts'
import { type BookroomSimulator, createBookroom } from './simulator.ts'

export async function startBookroom(): Promise<StartedWorld & { readonly site: BookroomSimulator }> {
  const clock = aClock()
  const site = createBookroom()
  const simulator = await startSimulator(site)
  const connections: PlatformConnection[] = []
  return {
    site,
    simulator,
    connect({ credentials, pace = createPace('off', clock), timeoutMs = 10_000, settings } = {}) {
      const apiKey = credentials === 'wrong' ? 'wrong' : site.credentials.apiKey
      const client = { baseUrl: simulator.baseUrl, pace, timeoutMs }
      const connection = bookroom.connect(bookroom.settings.parse({ apiKey, ...settings }), { client, clock })
      connections.push(connection)
      return connection
    },
    removeByHand: (id) => void site.rows.delete(Number(id)),
    async plantTwins() {
      // Those that only look alike fill a page, so that the second twin is on the next one.
      for (const start of ['t', 'at', 'bt', 'ct', 'dt', 'T']) site.add(`${start}win@uni.example`)
      return { attribute: 'email', value: 'twin@uni.example', wanted: new Map() }
    },
    plantProtected: () => String(site.add('head@uni.example', ['admin']).id),
    endSignIn: () => site.withdrawKey(),
    async close() {
      for (const connection of connections) await connection.close()
      await simulator.close()
    },
  }
}

export const bookroomWorld: PlatformWorld = {
  facts: bookroom.facts,
  start: startBookroom,
  person: (key) =>
    new Map<string, Json>([
      ['email', `${key}@uni.example`],
      ['name', 'Ada Lovelace'],
      ['active', true],
    ]),
  key: 'email',
  change: new Map([['name', 'Ada King']]),
  off: new Map([['active', false]]),
  on: new Map([['active', true]]),
  grants: { one: { role: 'librarian' }, two: { role: 'volunteer' }, unknown: { role: 'librarien' } },
  grantCalls: { read: 1, unchanged: 1, give: 3, take: 3 },
  lookAlikes: {
    attribute: 'email',
    stored: 'jose+1@uni.example',
    asked: ['josé+1@uni.example', 'ose+1@uni.example', 'jose', 'jose 1@uni.example', 'jose%', '%', '*', ''],
  },
  texts: {
    attribute: 'name',
    accepted: ["O'Brien-Müller & <Söhne>", '王小明 🎓', 'x'.repeat(80)],
    refused: ['x'.repeat(81), ''],
  },
  afterSignInEnds: 'denied',
}
