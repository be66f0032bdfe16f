/** Alarms of several replicas that share a store: whoever is woken by them is woken once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type ScriptedServer, scriptedServer } from '../platforms/scripted-server.ts'
import { skipPostgres } from '../postgres-server.ts'
import { type ReplicaBridges, startReplicaBridges } from '../replica-bridges.ts'

describe('alarms of several replicas', { skip: skipPostgres }, () => {
  let receiver: ScriptedServer
  let bridges: ReplicaBridges
  let status = 204
  let asked = 0
  const messages: JsonObject[] = []
  before(async () => {
    receiver = await scriptedServer((request) => {
      asked += 1
      const body: unknown = JSON.parse(request.text)
      if (status < 300 && isJsonObject(body)) messages.push(body)
      return { status }
    })
    const url = `${receiver.baseUrl}/hook`
    const webhook = { url, secret: 'a-secret-between-the-two-of-us', allowHttp: true, allowPrivateAddresses: true }
    bridges = await startReplicaBridges((config) => {
      config.alarms = { webhook, repeatHours: 1, repeats: 3 }
    })
  })
  after(async () => {
    await bridges?.stop()
    await receiver?.close()
  })

  const minute = () => bridges.clock.advance(60_000)
  /** Many looks of both. */
  async function hours(count: number): Promise<void> {
    const end = bridges.clock.now() + count * 3_600_000
    await eventually('hours pass', () => bridges.clock.now() >= end, minute)
  }
  const brief = () => messages.map(({ alarm, state, told }) => `${alarm} ${state} ${told}`)
  const giveUp = (isGivenUp: boolean) =>
    bridges.execute(
      isGivenUp
        ? `insert into operation (connection, id, resource_id, kind, about, is_deprovisioning, may_activate, version, state, attempts,
            due_at, request_id, caller, created_at, precedence)
            values ('figshare', 1, 'ada', 'update', 'account', 0, 0, 1, 'failed', 9, 0, '', '', '9999', 1)`
        : 'delete from operation',
    )

  test('one that lasts is told once each time, and so is its end', async () => {
    await giveUp(true)
    await eventually('it is told', () => messages.length > 0, minute)
    await hours(5)
    await giveUp(false)
    await eventually('its end is told', () => messages.at(-1)?.state === 'cleared', minute)
    await hours(1)
    assert.deepEqual(brief(), [
      'failed raised 1',
      'failed repeated 2',
      'failed repeated 3',
      'failed repeated 4',
      'failed cleared 5',
    ])
  })

  test('what was not taken is told later, once', async () => {
    messages.length = 0
    status = 500
    const before = asked
    await giveUp(true)
    await eventually('it was tried twice', () => asked === before + 2, minute)
    status = 204
    await eventually('it is told', () => messages.length > 0, minute)
    assert.deepEqual(brief(), ['failed raised 1'])
  })

  test('what a replica died over is told by another one, when its claim has ended', async () => {
    messages.length = 0
    const end = await bridges.leaveClaim('alarm', 'failed/webhook')
    await giveUp(false)
    await hours(1)
    assert.deepEqual(brief(), [])
    await end()
    await eventually('it is told', () => messages.length > 0, minute)
    await hours(1)
    assert.deepEqual(brief(), ['failed cleared 2'])
  })

  test('calls that one of them has suspended are told once, and over when it calls again', async () => {
    messages.length = 0
    bridges.sandbox.figshare.fault({ mode: '401' })
    const { status } = await bridges.scim[0].post('/Users', aUser())
    assert.equal(status, 429)
    await eventually('it is told', () => messages.length > 0, minute)
    await hours(0.5)
    assert.deepEqual(brief(), ['suspended raised 1'])
    bridges.sandbox.figshare.fault({ mode: 'ok' })
    await eventually('its end is told', () => messages.length > 1, minute)
    await hours(1)
    assert.deepEqual(brief(), ['suspended raised 1', 'suspended cleared 2'])
  })
})
