import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type ScriptedServer, scriptedServer } from '../platforms/scripted-server.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const secret = 'a-secret-between-the-two-of-us'

interface Setup {
  readonly world: BridgeWorld
  readonly receiver: ScriptedServer
  /** What was taken, in order. */
  readonly messages: JsonObject[]
  answerWith(status: number): void
  /** Time goes on until it has happened. */
  until(what: string, ask: () => boolean | Promise<boolean>): Promise<void>
}

async function setUp(
  t: TestContext,
  alarms: JsonObject = {},
  change: (config: JsonObject) => void = () => {},
): Promise<Setup> {
  const messages: JsonObject[] = []
  let status = 204
  const receiver = await scriptedServer((request) => {
    const body: unknown = JSON.parse(request.text)
    if (status < 300 && isJsonObject(body)) messages.push(body)
    return { status, headers: { location: `${receiver.baseUrl}/elsewhere` } }
  })
  const world = await startBridgeWorld((config) => {
    const webhook = { url: `${receiver.baseUrl}/hook?key=1`, secret, allowHttp: true, allowPrivateAddresses: true }
    config.alarms = { webhook, ...alarms }
    change(config)
  })
  t.after(async () => {
    await world.stop()
    await receiver.close()
  })
  return {
    world,
    receiver,
    messages,
    answerWith: (next) => {
      status = next
    },
    until: (what, ask) => eventually(what, ask, () => world.clock.advance(60_000)),
  }
}

const brief = (messages: readonly JsonObject[]) =>
  messages.map(({ connection, alarm, state, told }) => `${connection} ${alarm} ${state} ${told}`)

test('suspended calls are told once, signed, and cleared when the platform is back', async (t) => {
  const { world, receiver, messages, until } = await setUp(t)
  world.sandbox.figshare.fault({ mode: '401' })
  await world.scim('figshare').post('/Users', aUser())
  await until('it was told', () => messages.length === 1)
  const { told, since, at, ...message } = messages[0] ?? {}
  assert.deepEqual(message, {
    version: 1,
    alarm: 'suspended',
    state: 'raised',
    connection: 'figshare',
    detail: { reason: 'denied' },
    text: 'figshare: calls to the platform are suspended (denied); see scim-bridge check and scim-bridge resume',
  })
  assert.equal(told, 1)
  assert.equal(new Date(String(since)).toISOString(), since)
  assert.ok(String(at) >= String(since))
  const [request] = receiver.requests
  const timestamp = String(request?.headers['x-scim-bridge-timestamp'])
  const expected = createHmac('sha256', secret).update(`${timestamp}.${request?.text}`).digest('hex')
  assert.equal(request?.headers['x-scim-bridge-signature'], `sha256=${expected}`)
  assert.equal(request?.query.get('key'), '1')
  world.sandbox.figshare.fault({ mode: 'ok' })
  await until('it was cleared', () => messages.length === 2)
  assert.deepEqual(brief(messages), ['figshare suspended raised 1', 'figshare suspended cleared 2'])
})

test('a departure that waits too long is told, a few times and no more, and a restart tells nothing anew', async (t) => {
  const { world, messages, until } = await setUp(t, { departureMinutes: 30, repeatHours: 1, repeats: 2 })
  const scim = world.scim('figshare')
  const { body } = await scim.post('/Users', aUser())
  world.sandbox.figshare.fault({ mode: '500' })
  assert.equal((await scim.patch(`/Users/${body.id}`, off)).status, 429)
  const late = () => messages.filter(({ alarm }) => alarm === 'departure_late')
  world.clock.advance(29 * 60_000)
  await until('it was told', () => late().length === 1)
  assert.deepEqual(late()[0]?.detail, { people: 1, minutes: 30 })
  assert.ok(!JSON.stringify(messages).includes('uni.example') && !JSON.stringify(messages).includes(body.id))
  await world.restart()
  await until('it was repeated twice', () => late().length === 3)
  const before = late().length
  for (let hour = 0; hour < 5; hour += 1) {
    const now = world.clock.now()
    await until('an hour passes', () => world.clock.now() >= now + 3_600_000)
  }
  assert.equal(late().length, before)
  assert.deepEqual(brief(late()), [
    'figshare departure_late raised 1',
    'figshare departure_late repeated 2',
    'figshare departure_late repeated 3',
  ])
  world.sandbox.figshare.fault({ mode: 'ok' })
  await until('it was cleared', () => late().at(-1)?.state === 'cleared')
})

test('a departure that is late is as late after an edit, and after a deletion', async (t) => {
  const { world, messages, until } = await setUp(t, { departureMinutes: 30 })
  const scim = world.scim('figshare')
  const { body } = await scim.post('/Users', aUser())
  world.sandbox.figshare.fault({ mode: '500' })
  assert.equal((await scim.patch(`/Users/${body.id}`, off)).status, 429)
  const late = () => messages.filter(({ alarm }) => alarm === 'departure_late')
  await until('it was told', () => late().length === 1)
  assert.equal((await scim.patch(`/Users/${body.id}`, [{ op: 'add', path: 'title', value: 'Dr' }])).status, 429)
  assert.equal((await scim.delete(`/Users/${body.id}`)).status, 429)
  const editedAt = world.clock.now()
  await until('it was looked at again', () => world.clock.now() > editedAt + 10 * 60_000)
  assert.deepEqual(brief(late()), ['figshare departure_late raised 1'])
  world.sandbox.figshare.fault({ mode: 'ok' })
  await until('it was cleared', () => late().at(-1)?.state === 'cleared')
})

test('changes that were given up, and many who leave at once, are told with their numbers', async (t) => {
  const { world, messages, until } = await setUp(t, {}, ({ connections }) => {
    if (isJsonObject(connections) && isJsonObject(connections.figshare)) connections.figshare.mode = 'deferred'
  })
  const scim = world.scim('figshare')
  const user = aUser()
  const { logic } = world.sandbox.figshare
  logic.addAccount({ email: String(user.userName), institution_user_id: 'other', last_name: 'One' })
  logic.addAccount({ email: 'second@uni.example', institution_user_id: String(user.userName), last_name: 'Two' })
  await scim.post('/Users', user)
  await until('it was told', () => messages.length === 1)
  assert.deepEqual([messages[0]?.alarm, messages[0]?.detail], ['failed', { operations: 1 }])
  const ids = []
  for (let made = 0; made < 11; made += 1) ids.push((await scim.post('/Users', aUser())).body.id)
  for (const id of ids) await scim.delete(`/Users/${id}`)
  await until('it was told', () => messages.length === 2)
  assert.deepEqual([messages[1]?.alarm, messages[1]?.state], ['mass_departure', 'raised'])
  assert.ok(isJsonObject(messages[1]?.detail) && messages[1].detail.people === 11)
  world.clock.advance(3_600_000)
  await until('it has ended', () => messages.at(-1)?.state === 'cleared')
  assert.equal(messages.at(-1)?.alarm, 'mass_departure')
})

test('a receiver that is away, or sends us elsewhere, gets it later; what has ended before it was told is not told', async (t) => {
  const { world, receiver, messages, answerWith, until } = await setUp(t)
  answerWith(302)
  world.sandbox.figshare.fault({ mode: '401' })
  await world.scim('figshare').post('/Users', aUser())
  await until('it was tried twice', () => receiver.requests.length === 2)
  assert.ok(
    receiver.requests.every(({ path }) => path === '/hook'),
    'a redirect is not followed',
  )
  const shown = async () => (await fetch(`${world.url}/metrics`)).text()
  const text = await shown()
  assert.match(text, /^scim_bridge_alarm\{connection="figshare",alarm="suspended"\} 1$/m)
  assert.match(text, /^scim_bridge_alarm\{connection="dspace",alarm="suspended"\} 0$/m)
  assert.match(text, /^scim_bridge_alarm_deliveries_total\{way="webhook",result="failed"\} [1-9]/m)
  answerWith(204)
  await until('it was told', () => messages.length === 1)
  world.sandbox.figshare.fault({ mode: 'ok' })
  await until('it was cleared', () => messages.length === 2)
  answerWith(500)
  const tried = receiver.requests.length
  world.sandbox.dspace.fault({ mode: '401' })
  await world.scim('dspace').post('/Users', aUser())
  await until('it was tried', () => receiver.requests.length > tried)
  world.sandbox.dspace.fault({ mode: 'ok' })
  await until('it is over', async () => /alarm\{connection="dspace",alarm="suspended"\} 0/.test(await shown()))
  answerWith(204)
  const quiet = world.clock.now()
  await until('an hour passes', () => world.clock.now() > quiet + 3_600_000)
  assert.ok(messages.every(({ connection }) => connection !== 'dspace'))
})
