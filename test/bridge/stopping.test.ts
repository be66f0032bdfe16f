import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { aUser, scimType } from '../bridge-world.ts'
import { type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'

/** POSTs on a kept connection, as identity providers do, and answers the status and body. */
function posted(bridge: FigshareBridge, agent: Agent, user: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${bridge.world.url}/figshare/scim/v2/Users`,
      {
        agent,
        method: 'POST',
        headers: { authorization: `Bearer ${bridge.world.tokens.get('figshare')}`, 'content-type': scimType },
      },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
        answer.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(user))
  })
}

test('requests in work when the bridge is stopped are finished and answered, when they can be in time', async (t) => {
  const bridge = await startFigshareBridge(t)
  const agent = new Agent({ keepAlive: true })
  t.after(async () => agent.destroy())
  const people = Array.from({ length: 20 }, () => aUser())
  bridge.fault({ mode: 'hang-after', only: 'writes' })
  const answering = Promise.all(people.map((user) => posted(bridge, agent, user)))
  await bridge.until('all are durable', () => bridge.row('select count(*) as n from operation')?.n === 20)
  await bridge.held()
  const restarting = bridge.world.restart()
  bridge.heal()
  const answers = await answering
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201])
  await restarting
  for (const user of people) assert.equal(bridge.account(user)?.active, true)
})

test('requests that cannot be finished in time are answered with 429, and the next start finishes them', async (t) => {
  const bridge = await startFigshareBridge(t, { graceMs: 100 })
  const agent = new Agent({ keepAlive: true })
  t.after(async () => agent.destroy())
  const people = Array.from({ length: 20 }, () => aUser())
  bridge.fault({ mode: 'hang' })
  const answering = Promise.all(people.map((user) => posted(bridge, agent, user)))
  await bridge.until('all are durable', () => bridge.row('select count(*) as n from operation')?.n === 20)
  await bridge.held()
  const restarting = bridge.world.restart()
  const answers = await answering
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [429])
  bridge.heal()
  await restarting
  await bridge.finished()
  for (const user of people) assert.equal(bridge.accounts(user).length, 1)
})

test('a bridge that is stopped while it probes a platform that is away does not wait for its next look at the outbox', async (t) => {
  const bridge = await startFigshareBridge(t, { graceMs: 100 })
  const user = aUser()
  bridge.fault({ mode: '401' })
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  bridge.fault({ mode: 'hang' })
  await bridge.until('it probes', () => bridge.world.sandbox.figshare.faultCount > 0)
  // Time stands still: whoever sleeps until the next look sleeps for ever.
  await bridge.world.restart()
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.accounts(user).length, 1)
})
