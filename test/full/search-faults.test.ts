/** List 9.1, number 16 and the rest of number 1: a search that lags, is fuzzy or minds no case, and names that lead nowhere. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import type { FigshareKnobs } from '../../src/sandbox/figshare/knobs.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { innerAccounts, isSamePerson } from './accounts.ts'
import { type Bench, startBench } from './fault-bench.ts'
import { assertInvariants } from './invariants.ts'
import { accountOperations } from './operations.ts'
import { viewStore } from './store-view.ts'

const searches: readonly (readonly [string, Partial<FigshareKnobs>])[] = [
  ['lags 5 seconds', { listLagMs: 5_000 }],
  ['finds what begins so', { filters: 'prefix' }],
  ['minds no case', { filters: 'case' }],
]

describe("when Figshare's search", { concurrency: searches.length }, () => {
  for (const [what, knobs] of searches) {
    describe(what, { concurrency: 1 }, () => {
      let bench: Bench
      before(async () => {
        bench = await startBench('figshare')
        Object.assign(bench.world.sandbox.figshare.logic.knobs, knobs)
      })
      after(() => bench.stop())
      for (const operation of accountOperations) {
        test(`16 a ${operation.name} whose answer is lost makes no second account and touches nobody who looks alike`, async () => {
          const { world, watch, scim } = bench
          const { figshare } = world.sandbox
          const user = aUser()
          plantLookAlikes(bench, user)
          let id = ''
          if (operation.before !== undefined) {
            const made = await scim.post({ ...user, active: operation.before === 'on' })
            assert.equal(made.status, 201, made.text)
            id = String(made.body.id)
          }
          figshare.fault({ mode: 'lost', times: 1 })
          const answer = await operation.ask(scim, user, id, '')
          assert.equal(figshare.faultCount, 1)
          assert.equal(answer.status, 429, answer.text)
          figshare.fault({ mode: 'ok' })
          const isIdle = () => viewStore(world.directory, 'figshare', Number.MAX_SAFE_INTEGER).operations.length === 0
          await eventually('nothing is unfinished', isIdle, () => world.clock.advance(1_000))
          assertInvariants(watch)
          const accounts = innerAccounts(world.sandbox, 'figshare').filter((account) => account.email === emailOf(user))
          assert.equal(accounts.length, 1)
          assert.ok(operation.isDone(accounts[0], { account: undefined, gives: [] }))
          world.clock.advance(121_000)
        })
      }
    })
  }
})

function plantLookAlikes({ watch, world }: Bench, user: JsonObject): void {
  const { logic } = world.sandbox.figshare
  const name = String(user.userName)
  watch.byHand('figshare', () => {
    logic.addAccount({ email: `${emailOf(user)}.org`, institution_user_id: `${name}.org`, last_name: 'Longer' })
    logic.addAccount({ email: `other-${emailOf(user)}`, institution_user_id: name.toUpperCase(), last_name: 'Louder' })
  })
  assert.equal(innerAccounts(world.sandbox, 'figshare').filter((account) => isSamePerson(user, account)).length, 1)
}

test('1 a platform that speaks no TLS cannot be reached: 429, and the change is kept', async (t) => {
  const world = await startBridgeWorld((config) => {
    const figshare = isJsonObject(config.connections) ? config.connections.figshare : undefined
    if (isJsonObject(figshare)) figshare.baseUrl = String(figshare.baseUrl).replace('http:', 'https:')
  })
  t.after(() => world.stop())
  const answer = await world.scim('figshare').post('/Users', aUser())
  assert.equal(answer.status, 429, answer.text)
  const { operations, audit } = viewStore(world.directory, 'figshare')
  assert.equal(operations.length, 1)
  assert.equal(audit.find(({ event }) => event === 'outcome')?.detail.error, 'unreachable')
})
