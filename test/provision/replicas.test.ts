import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { skipPostgres } from '../postgres-server.ts'
import { startReplicaBridges } from '../replica-bridges.ts'

const set = (value: boolean) => [{ op: 'replace', path: 'active', value }]

test('who was taken for dead writes nothing when the next one has been at the link, is done and has let go', {
  skip: skipPostgres,
}, async (t) => {
  const world = await startReplicaBridges()
  t.after(() => world.stop())
  const { figshare } = world.sandbox
  const [first, second] = world.scim
  const user = aUser()
  const { body } = await first.post('/Users', user)
  const path = `/Users/${body.id}`
  assert.equal((await first.patch(path, set(false))).status, 200)
  const isQuiet = async () => (await world.store.countOperations('figshare')) === 0
  await eventually('nothing is unfinished', isQuiet)
  const account = figshare.logic.state.byEmail(emailOf(user))[0]
  assert.equal(account?.active, false)
  // It reads that the account is off, and stands still before it goes on.
  figshare.fault({ mode: 'hang-after', only: 'reads', times: 1 })
  const late = first.patch(path, set(true)).then((answer) => answer)
  await eventually('the first one reads', () => figshare.faultCount > 0)
  await world.execute("update claim set claimed_until = 0 where kind = 'link'")
  assert.equal((await second.patch(path, set(false))).status, 200)
  const claims = () => world.execute("select 1 from claim where kind = 'link'")
  await eventually('the second one has let go', async () => (await claims()).length === 0)
  figshare.forgetCalls()
  figshare.fault({ mode: 'ok' })
  assert.equal((await late).status, 429)
  assert.deepEqual(
    figshare.calls.filter(({ method }) => method !== 'GET'),
    [],
  )
  assert.equal(account.active, false)
  assert.equal((await second.get(path)).body.active, false)
})
