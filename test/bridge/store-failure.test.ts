import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { provisionedConnection, readConfig } from '../../src/bridge.ts'
import { Problem } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { createProvision } from '../../src/provision/provision.ts'
import { type OpenedStore, openStore } from '../../src/store/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]

/** Another program, a backup for example, has the store for itself. */
function aLock(bridge: FigshareBridge): { end(): void } {
  const other = new DatabaseSync(join(bridge.world.directory, 'bridge.sqlite'))
  other.exec('begin immediate')
  return { end: () => other.close() }
}

/** Time goes on until the answer is there. */
async function answered<Answer>(bridge: FigshareBridge, answering: PromiseLike<Answer>): Promise<Answer> {
  const got: Answer[] = []
  const pending = Promise.resolve(answering).then((answer) => void got.push(answer))
  await bridge.until('it is answered', () => got.length > 0)
  await pending
  const [answer] = got
  if (answer === undefined) throw new Error('no answer')
  return answer
}

test('when a request cannot be stored it is 503, and nothing is called', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.until(
    'nothing is left to be stored',
    () => bridge.row('select was_flushed from link')?.was_flushed === 1,
  )
  const { figshare } = bridge.world.sandbox
  figshare.forgetCalls()
  const lock = aLock(bridge)
  const answer = await answered(bridge, bridge.scim.patch(`/Users/${body.id}`, off))
  lock.end()
  assert.equal(answer.status, 503, answer.text)
  assert.equal(answer.headers['content-type'], 'application/scim+json')
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
  assert.equal(figshare.calls.length, 0)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.active, true)
})

test('when the store file is taken away writes are 503 and the bridge is not ready', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { directory, url } = bridge.world
  renameSync(join(directory, 'bridge.sqlite'), join(directory, 'elsewhere'))
  assert.equal((await bridge.scim.post('/Users', aUser())).status, 503)
  assert.equal((await fetch(`${url}/readyz`)).status, 503)
  assert.equal((await fetch(`${url}/livez`)).status, 200)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^scim_bridge_store_answers\{connection="figshare"\} 0$/m)
  renameSync(join(directory, 'elsewhere'), join(directory, 'bridge.sqlite'))
  assert.equal((await bridge.scim.post('/Users', aUser())).status, 201)
})

for (const [what, active] of [
  ['create', true],
  ['create of somebody who is off', false],
] as const) {
  test(`when the outcome of a ${what} cannot be stored it is 429, never 2xx, and it is found and finished later`, async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser({ active })
    bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
    const answering = bridge.scim.post('/Users', user).then((answer) => answer)
    await bridge.held()
    const lock = aLock(bridge)
    bridge.heal()
    const answer = await answered(bridge, answering)
    assert.equal(answer.status, 429, answer.text)
    lock.end()
    await bridge.finished()
    assert.equal(bridge.accounts(user).length, 1)
    assert.equal(bridge.account(user)?.active, active)
    assert.equal((await bridge.scim.get('/Users')).body.totalResults, 1)
  })
}

test('when the outcome of a deactivation cannot be stored it is 429, and the store learns of it later', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const answering = bridge.scim.patch(`/Users/${body.id}`, off).then((answer) => answer)
  await bridge.held()
  const lock = aLock(bridge)
  bridge.heal()
  assert.equal((await answered(bridge, answering)).status, 429)
  lock.end()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('while the store takes nothing the platform is not asked again and again', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const answering = bridge.scim.patch(`/Users/${body.id}`, off).then((answer) => answer)
  await bridge.held()
  const lock = aLock(bridge)
  bridge.heal()
  await answered(bridge, answering)
  const { figshare } = bridge.world.sandbox
  figshare.forgetCalls()
  let rounds = 0
  await bridge.until('two minutes have gone by', () => ++rounds > 120)
  assert.equal(figshare.calls.length, 0)
  lock.end()
  await bridge.finished()
})

/** Provisioning in front of the same Figshare, on a store of its own that the test makes fail. */
async function onFailingStore(t: TestContext, bridge: FigshareBridge, fail: (store: OpenedStore) => Store) {
  const { clock, directory } = bridge.world
  const config = readConfig(join(directory, 'bridge.yaml'), {})
  const [settings] = config.connections.filter(({ name }) => name === 'figshare')
  assert.ok(settings !== undefined)
  const log = createLog('silent')
  const store = await openStore({ kind: 'sqlite', file: join(directory, 'second.sqlite') }, { clock, log })
  const connection = provisionedConnection(settings, config, clock)
  const world = { store: fail(store), clock, log, random: () => 0.5, newId: () => 'ada', attemptMs: 5_000 }
  const provision = createProvision(connection, world)
  const end = async () => {
    await provision.stop(0)
    await connection.platform.close()
    await store.close()
  }
  // What keeps its place for ever would keep the end, too.
  t.after(end, { timeout: 10_000 })
  const finished = () =>
    bridge.until('nothing is unfinished', async () => (await store.countOperations('figshare')) === 0)
  return { provision, finished }
}

const asked = { requestId: 'r', caller: 'c', signal: new AbortController().signal }
const unavailable = () => {
  throw new StoreUnavailable('the store is unavailable: disk full')
}
const isBusy = (error: unknown) => error instanceof Problem && error.status === 429

test('a store that fails while the account is looked for gives nothing up, and is no sign against the platform', async (t) => {
  const bridge = await startFigshareBridge(t)
  let failures = 0
  const { provision, finished } = await onFailingStore(t, bridge, (store) => ({
    ...store,
    findLinkByAccount: (connection, accountId) => {
      failures += 1
      return failures <= 6 ? unavailable() : store.findLinkByAccount(connection, accountId)
    },
  }))
  const user = aUser()
  const account = bridge.world.sandbox.figshare.logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'Lovelace',
  })
  for (let time = 0; time < 6; time += 1) {
    await assert.rejects(provision.createUser(asked, { document: user, active: true }), isBusy)
  }
  assert.equal(provision.suspension(), undefined)
  provision.start()
  await finished()
  assert.equal(account.profile.first_name, 'Ada')
})

test('a store that takes requests but no outcome does not make the bridge hammer the platform', async (t) => {
  const bridge = await startFigshareBridge(t)
  let isFull = true
  const { provision, finished } = await onFailingStore(t, bridge, (store) => ({
    ...store,
    transaction: (work) =>
      store.transaction((write) =>
        work({
          ...write,
          appendAudit: (connection, entry) =>
            isFull && entry.event === 'outcome' ? unavailable() : write.appendAudit(connection, entry),
          updateOperation: (...change) => (isFull ? unavailable() : write.updateOperation(...change)),
        }),
      ),
  }))
  const user = aUser()
  await assert.rejects(provision.createUser(asked, { document: user, active: true }), isBusy)
  const { figshare } = bridge.world.sandbox
  const reads = () => figshare.calls.filter(({ method }) => method === 'GET').length
  const before = reads()
  provision.start()
  let rounds = 0
  await bridge.until('two minutes have gone by', () => ++rounds > 120)
  assert.ok(reads() - before <= 120, `${reads() - before} reads in two minutes`)
  isFull = false
  await finished()
  assert.equal(bridge.accounts(user).length, 1)
})

test('an attempt that began with a request that is not stored makes no call, and the next request for the person is served', async (t) => {
  const bridge = await startFigshareBridge(t)
  let isLost = true
  const { provision } = await onFailingStore(t, bridge, (store) => ({
    ...store,
    transaction: (work) =>
      store.transaction(async (write) => {
        const result = await work(write)
        // As a commit would that fails: all was done, and nothing is kept.
        if (isLost) throw new StoreUnavailable('the store is unavailable: disk full')
        return result
      }),
  }))
  const user = aUser()
  const { figshare } = bridge.world.sandbox
  figshare.forgetCalls()
  await assert.rejects(provision.createUser(asked, { document: user, active: true }), StoreUnavailable)
  assert.equal(figshare.calls.length, 0)
  assert.equal(provision.isBusy(), false)
  isLost = false
  await provision.createUser(asked, { document: user, active: true })
  assert.equal(bridge.accounts(user).length, 1)
})

test('a change is three transactions while nothing else is asked: what is asked, the call, what came of it', async (t) => {
  const bridge = await startFigshareBridge(t)
  let transactions = 0
  const { provision } = await onFailingStore(t, bridge, (store) => ({
    ...store,
    transaction(work) {
      transactions += 1
      return store.transaction(work)
    },
  }))
  const user = aUser()
  const id = await provision.createUser(asked, { document: user, active: true })
  transactions = 0
  const document = { ...user, name: { givenName: 'Augusta', familyName: 'King' } }
  await provision.updateUser(asked, id, () => ({ document, active: true, changed: true }))
  assert.equal(bridge.account(user)?.profile.first_name, 'Augusta')
  assert.equal(transactions, 3)
})
