import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { type TestContext, test } from 'node:test'
import { Unreachable } from '../../src/errors.ts'
import type { Client } from '../../src/platforms/client.ts'
import { createClient } from '../../src/platforms/create-client.ts'
import { createPace } from '../../src/platforms/pace.ts'
import { aClock } from './contract.ts'
import { reply, startRawServer } from './raw-server.ts'
import { aCall } from './world.ts'

const get = { method: 'GET', path: ['accounts'] } as const

interface Resolver {
  /** Names that it was asked for, as often as it was. */
  readonly asked: string[]
  /** What hangs ends, as when the system has waited for its servers in vain. */
  giveUp(): void
  /** Names are answered again. */
  isBack: boolean
}

type Answer = (error: Error | null, addresses: LookupAddress[]) => void

/** As the system: two look-ups at a time, the others wait; names with `hang` are not answered. */
function aResolver(t: TestContext): Resolver {
  const inWork = new Map<Answer, string>()
  const waiting: [string, Answer][] = []
  const resolver: Resolver = {
    asked: [],
    giveUp() {
      for (const answer of [...inWork.keys()]) end(answer, Object.assign(new Error(), { code: 'EAI_AGAIN' }))
    },
    isBack: false,
  }
  const end = (answer: Answer, error: Error | null) => {
    inWork.delete(answer)
    answer(error, error === null ? [{ address: '127.0.0.1', family: 4 }] : [])
    next()
  }
  const next = () => {
    const [first] = inWork.size < 2 ? waiting.splice(0, 1) : []
    if (first === undefined) return
    const [name, answer] = first
    inWork.set(answer, name)
    if (resolver.isBack || !name.includes('hang')) setImmediate(() => end(answer, null))
    next()
  }
  t.mock.method(dns, 'lookup', (name: string, _options: unknown, answer: Answer) => {
    resolver.asked.push(name)
    waiting.push([name, answer])
    next()
  })
  // What is shared by the whole process ends with the test.
  t.after(() => {
    resolver.isBack = true
    resolver.giveUp()
  })
  return resolver
}

async function setUp(t: TestContext) {
  const server = await startRawServer((socket) => socket.end(reply('200 OK', ['Connection: close'], '')))
  t.after(() => server.close())
  const resolver = aResolver(t)
  const connectionTo = (name: string, timeoutMs = 10_000): Client => {
    const baseUrl = server.baseUrl.replace('127.0.0.1', name)
    const client = createClient({ baseUrl, timeoutMs, pace: createPace('off', aClock()) })
    t.after(() => client.close())
    return client
  }
  return { resolver, connectionTo }
}

async function callsOf(client: Client, count: number): Promise<number> {
  const calls = await Promise.allSettled(Array.from({ length: count }, () => client.send(aCall(), get)))
  for (const call of calls) if (call.status === 'rejected') assert.ok(call.reason instanceof Unreachable)
  return calls.filter(({ status }) => status === 'fulfilled').length
}

test('while the name of one platform is not resolved, calls to another one go on', async (t) => {
  const { resolver, connectionTo } = await setUp(t)
  const hanging = callsOf(connectionTo('hang-1.example', 200), 4)
  assert.equal((await connectionTo('good.example').send(aCall(), get)).status, 200)
  assert.equal(await hanging, 0)
  assert.equal(await callsOf(connectionTo('hang-1.example', 200), 4), 0)
  assert.deepEqual(resolver.asked, ['hang-1.example', 'good.example'], 'all who ask wait for one search')
})

test('of names that were late one is looked up at a time, and each is found when it is answered again', async (t) => {
  const { resolver, connectionTo } = await setUp(t)
  const names = ['hang-2.example', 'hang-3.example', 'hang-4.example']
  const all = (timeoutMs = 200) => Promise.all(names.map((name) => callsOf(connectionTo(name, timeoutMs), 2)))
  assert.deepEqual(await all(), [0, 0, 0])
  resolver.giveUp()
  resolver.giveUp()
  const again = all()
  assert.equal((await connectionTo('good.example').send(aCall(), get)).status, 200)
  assert.deepEqual(await again, [0, 0, 0])
  resolver.isBack = true
  resolver.giveUp()
  assert.deepEqual(await all(10_000), [2, 2, 2])
})

test('who waits for the search of another one waits no longer than its own time', async (t) => {
  const { connectionTo } = await setUp(t)
  const [patient, hurried] = [connectionTo('hang-5.example', 60_000), connectionTo('hang-5.example', 40)]
  const leaving = new AbortController()
  const call = patient.send({ ...aCall(), signal: leaving.signal }, get)
  await assert.rejects(
    hurried.send(aCall(), get),
    (error) => error instanceof Unreachable && error.detail.endsWith('could not be resolved (no answer within 20 ms)'),
  )
  leaving.abort(new Error('the end'))
  await assert.rejects(call)
})
