/** What operators ask for beside the bridge, where several replicas could take it up. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { NewOperatorRequest, OperatorRequest } from '../../src/store/operator-store.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { skipPostgres } from '../postgres-server.ts'
import { type ReplicaBridges, startReplicaBridges } from '../replica-bridges.ts'

const operatorToken = 'of-all-connections'

describe('what operators ask of several replicas', { skip: skipPostgres }, () => {
  let bridges: ReplicaBridges
  before(async () => {
    bridges = await startReplicaBridges((config, figshare) => {
      figshare.mode = 'deferred'
      config.console = { tokens: [operatorToken] }
    })
  })
  after(() => bridges?.stop())

  const tick = () => bridges.clock.advance(1_000)
  const isQuiet = async () => (await bridges.store.countOperations('figshare')) === 0

  async function ask(wish: Partial<NewOperatorRequest>): Promise<number> {
    const request = { operator: 'grace', why: 'a test', resourceId: undefined, detail: {}, ...wish }
    const { clock, store } = bridges
    return store.transaction((write) =>
      write.addOperatorRequest('figshare', { action: 'retry', ...request, askedAt: clock.now() }),
    )
  }

  async function answered(number: number): Promise<OperatorRequest> {
    let request: OperatorRequest | undefined
    await eventually(
      `request ${number} is answered`,
      async () => {
        request = await bridges.store.getOperatorRequest('figshare', number)
        return request?.phase === 'done' || request?.phase === 'refused'
      },
      tick,
    )
    assert.ok(request)
    return request
  }

  const countOf = async (action: string) =>
    (await bridges.store.readAudit('figshare', 0, 100_000)).filter(({ detail }) => detail?.action === action).length

  async function somebody(): Promise<string> {
    const { body } = await bridges.scim[0].post('/Users', aUser())
    await eventually('it is made', isQuiet, tick)
    return String(body.id)
  }

  test('each is done once, by one of them', async () => {
    const user = await somebody()
    bridges.sandbox.figshare.fault({ mode: '503' })
    await bridges.scim[0].patch(`/Users/${user}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
    for (let round = 0; round < 10; round += 1) {
      for (const action of ['hold', 'release']) {
        const request = await answered(await ask({ action, resourceId: user }))
        assert.equal(request.phase, 'done', request.answer)
      }
    }
    assert.deepEqual([await countOf('hold'), await countOf('release')], [10, 10])
    bridges.sandbox.figshare.fault({ mode: 'ok' })
    await answered(await ask({ action: 'resume' }))
    await eventually('it is written', isQuiet, tick)
  })

  test('what one of them has taken up, and is not done with, is done by another one when its claim ends', async () => {
    const user = await somebody()
    const end = await bridges.leaveClaim('requests', '')
    const number = await ask({ action: 'reapply', resourceId: user })
    for (let round = 0; round < 20; round += 1) {
      tick()
      assert.equal((await bridges.store.getOperatorRequest('figshare', number))?.phase, 'asked')
    }
    await end()
    assert.equal((await answered(number)).phase, 'done')
    const claims = () => bridges.execute("select 1 from claim where kind = 'requests'")
    await eventually('nobody has the claim any more', async () => (await claims()).length === 0)
    await eventually('it is written', isQuiet, tick)
  })

  test('of a long one each portion is made once', async () => {
    const before = await countOf('reapply')
    const number = await ask({ action: 'reapply_all' })
    const { affected, total } = await answered(number)
    assert.deepEqual([affected, total], [2, 2])
    assert.equal((await countOf('reapply')) - before, 2)
    await eventually('all is written', isQuiet, tick)
  })

  test('an account that an attempt of another one is taking over is not adopted, and is when that has ended', async () => {
    const user = await somebody()
    const account = String((await bridges.store.getLink('figshare', user))?.accountId)
    assert.equal((await answered(await ask({ action: 'unlink', resourceId: user }))).phase, 'done')
    const end = await bridges.leaveClaim('account', account)
    const adopt = { action: 'adopt', resourceId: user, detail: { accountId: account } }
    const refused = await answered(await ask(adopt))
    assert.deepEqual(
      [refused.phase, refused.answer],
      ['refused', `account ${account} belongs to another user, whose work is under way; unlink it there first`],
    )
    await end()
    const done = await answered(await ask(adopt))
    assert.equal(done.phase, 'done', done.answer)
    await eventually('it is written', isQuiet, tick)
    const claims = () => bridges.execute("select 1 from claim where kind = 'account'")
    await eventually('nobody has the claim any more', async () => (await claims()).length === 0)
  })

  test('an action at one of them waits for the attempt at the user that another one is making', async () => {
    const user = await somebody()
    const { figshare } = bridges.sandbox
    figshare.fault({ mode: 'hang', only: 'writes' })
    await bridges.scim[0].patch(`/Users/${user}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
    await eventually('a call is on its way', () => figshare.faultCount > 0, tick)
    const unlinked = fetch(`${bridges.urls[1]}/admin/v1/connections/figshare/people/${user}/unlink`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ why: 'a test', force: true }),
    })
    const letGo = async () =>
      (await bridges.execute(`select unlinked_account_id as id from link where resource_id = '${user}'`))[0]?.id
    for (let round = 0; round < 20; round += 1) {
      tick()
      assert.equal(await letGo(), null)
    }
    figshare.fault({ mode: 'ok' })
    await eventually('it is let go', async () => (await letGo()) !== null, tick)
    assert.equal((await unlinked).status, 200)
  })
})
