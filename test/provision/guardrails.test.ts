/** Many who leave at once: an alarm always, a human's decision where the operator wants one. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]

async function aBridgeOf(t: TestContext, count: number, options: Parameters<typeof startFigshareBridge>[1]) {
  const bridge = await startFigshareBridge(t, options)
  const people: { id: string; user: JsonObject }[] = []
  for (let made = 0; made < count; made += 1) {
    const user = aUser()
    people.push({ user, id: (await bridge.scim.post('/Users', user)).body.id })
  }
  await bridge.finished()
  return { bridge, people }
}

const alarms = (bridge: FigshareBridge) =>
  bridge.world.logLines.filter((line) => line.includes('unusually many people')).length
const stillOn = (bridge: FigshareBridge, people: readonly { user: JsonObject }[]) =>
  people.filter(({ user }) => bridge.account(user)?.active === true).length

test('more than ten people who leave within an hour raise one alarm, and all of them are switched off', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 12, {})
  for (const [index, { id }] of people.entries()) {
    assert.equal((await bridge.scim.patch(`/Users/${id}`, off)).status, 200)
    assert.equal(alarms(bridge), index < 10 ? 0 : 1)
  }
  assert.equal(stillOn(bridge, people), 0)
})

test('those who leave one after the other, over hours, raise none', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 12, {})
  for (const { id } of people) {
    await bridge.scim.delete(`/Users/${id}`)
    bridge.world.clock.advance(600_000)
  }
  assert.equal(alarms(bridge), 0)
})

test('somebody who is switched off and on again all the time is no wave of leavers', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 1, { hold: true })
  const [person] = people
  for (let count = 0; count < 12; count += 1) {
    const answer = await bridge.scim.patch(`/Users/${person?.id}`, [
      { op: 'replace', path: 'active', value: count % 2 === 1 },
    ])
    assert.equal(answer.status, 200)
  }
  assert.equal(alarms(bridge), 0)
})

test('guardrails.hold keeps what exceeds the limit: 429, held, the account on, over a restart and whatever is repeated', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 12, { hold: true })
  const answers = []
  for (const { id } of people) answers.push(await bridge.scim.patch(`/Users/${id}`, off))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...Array<number>(10).fill(200), 429, 429],
  )
  assert.equal(answers.at(-1)?.headers['retry-after'], '3600')
  assert.match(answers.at(-1)?.body.detail, /has to confirm/)
  const last = people.at(-1)
  const repeated = await bridge.scim.patch(`/Users/${last?.id}`, off)
  const deleted = await bridge.scim.delete(`/Users/${last?.id}`)
  assert.deepEqual([repeated.status, deleted.status], [429, 429])
  assert.equal((await bridge.scim.get(`/Users/${last?.id}`)).body[provisioningUrn].state, 'held')
  await bridge.world.restart()
  bridge.world.clock.advance(7_200_000)
  await bridge.world.restart()
  assert.equal(stillOn(bridge, people), 2)
})

test('what was held goes on when the bridge is started without the hold', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 12, { hold: true })
  for (const { id } of people) await bridge.scim.patch(`/Users/${id}`, off)
  const file = join(bridge.world.directory, 'bridge.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('hold: true', 'hold: false'))
  await bridge.world.restart()
  await bridge.finished()
  assert.equal(stillOn(bridge, people), 0)
})

test('who is held and then wanted on again stays on, and is held no more', async (t) => {
  const { bridge, people } = await aBridgeOf(t, 11, { hold: true })
  for (const { id } of people) await bridge.scim.patch(`/Users/${id}`, off)
  const last = people.at(-1)
  const answer = await bridge.scim.patch(`/Users/${last?.id}`, [{ op: 'replace', path: 'active', value: true }])
  assert.equal(answer.status, 200)
  assert.equal(answer.body[provisioningUrn].state, 'applied')
  assert.equal(last && bridge.account(last.user)?.active, true)
})
