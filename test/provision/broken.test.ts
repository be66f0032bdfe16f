import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FaultMode } from '../../src/sandbox/simulator.ts'
import { aUser } from '../bridge-world.ts'
import { startFigshareBridge } from '../figshare-bridge.ts'

/** One person, and what a change is answered while the platform answers so. */
async function aChange(t: TestContext) {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  const ask = async (mode: FaultMode) => {
    bridge.fault({ mode })
    const answer = await bridge.scim.patch(path, [{ op: 'replace', path: 'title', value: 'Countess' }])
    return answer.status
  }
  return { bridge, ask, title: () => bridge.account(user)?.profile.job_title }
}

test('three pages in a row instead of answers, and a change is put aside for an operator', async (t) => {
  const { bridge, ask } = await aChange(t)
  assert.deepEqual([await ask('html'), await ask('html'), await ask('html')], [429, 429, 500])
  assert.equal(bridge.row('select state from operation')?.state, 'failed')
})

test('one page after a long outage puts nothing aside', async (t) => {
  const { bridge, ask, title } = await aChange(t)
  for (const mode of ['500', '500', '429', 'html', '500', 'html'] as const) assert.equal(await ask(mode), 429, mode)
  bridge.heal()
  await bridge.finished()
  assert.equal(title(), 'Countess')
})
