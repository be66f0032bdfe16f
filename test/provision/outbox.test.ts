import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
/** More than the outbox of a platform that takes one call at a time begins at once. */
const callers = 12

test('a leaver who has to be tried again has a place, however many requests are always under way', async (t) => {
  const bridge = await startFigshareBridge(t)
  const leaver = aUser()
  const { body } = await bridge.scim.post('/Users', leaver)
  bridge.fault({ mode: '503', retryAfter: '5', only: 'writes', times: 1 })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  // The others' calls are slow but fine.
  bridge.fault({ mode: 'slow', delayMs: 5 })
  let served = 0
  let isOver = false
  const others = Array.from({ length: callers }, async () => {
    while (!isOver) if ((await bridge.scim.post('/Users', aUser())).status === 201) served += 1
  })
  const isOff = () => bridge.account(leaver)?.active === false
  const enough = 300
  await bridge.until('the leaver is off, or many others were served', () => isOff() || served >= enough)
  const isInTime = isOff()
  isOver = true
  let areDone = false
  const done = Promise.all(others).then(() => {
    areDone = true
  })
  await bridge.until('the others are done', () => areDone)
  await done
  assert.ok(isInTime, `the leaver was still on after ${served} creates`)
})

test('a leaver has a place while some of them are free, though calls for others hang that were due before', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const people = [aUser(), aUser(), aUser()]
  const ids: string[] = []
  for (const user of people) ids.push(String((await bridge.scim.post('/Users', user)).body.id))
  await bridge.finished()
  const [stuck = '', other = '', leaver = ''] = ids
  // Half of the places: as many as are left.
  bridge.fault({ mode: 'hang', only: 'writes', times: 2 })
  for (const id of [stuck, other]) {
    assert.equal((await bridge.scim.patch(`/Users/${id}`, off)).status, 200)
    bridge.world.clock.advance(1_000)
  }
  const { figshare } = bridge.world.sandbox
  await bridge.until('both hang', () => figshare.faultCount === 2)
  assert.equal((await bridge.scim.patch(`/Users/${leaver}`, off)).status, 200)
  await bridge.until('the leaver is off', () => bridge.account(people[2] ?? {})?.active === false)
  assert.deepEqual(
    people.slice(0, 2).map((user) => bridge.account(user)?.active),
    [true, true],
    'the others hang still',
  )
  bridge.heal()
})

test('a clock that is set back by hours puts off neither what waits nor what is asked next', async (t) => {
  const bridge = await startFigshareBridge(t)
  const leaver = aUser()
  const { body } = await bridge.scim.post('/Users', leaver)
  bridge.fault({ mode: '503', retryAfter: '5', only: 'writes', times: 1 })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  const { clock } = bridge.world
  const before = clock.now()
  clock.setBack(7_200_000)
  const newcomer = bridge.scim.post('/Users', aUser()).then(({ status }) => status)
  let status: number | undefined
  void newcomer.then((answered) => {
    status = answered
  })
  await bridge.until('the leaver is off and the newcomer answered', () => {
    assert.ok(clock.now() < before - 3_600_000, 'it has taken an hour')
    return bridge.account(leaver)?.active === false && status !== undefined
  })
  assert.equal(status, 201)
})

test('a clock that is set back keeps nobody waiting behind a thousand others who wait', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  bridge.fault({ mode: '503', retryAfter: '5', only: 'writes', times: 1 })
  const title = [{ op: 'replace', path: 'title', value: 'Dean' }]
  await bridge.scim.patch(`/Users/${body.id}`, title)
  const { clock } = bridge.world
  await bridge.until('it waits', () => bridge.row('select attempts from operation')?.attempts === 1)
  const before = clock.now()
  // Leavers come first, whatever becomes of them.
  bridge.change(
    `with recursive other (n) as (select 1 union all select n + 1 from other where n < 1200)
    insert into operation (connection, id, resource_id, kind, about, is_deprovisioning, may_activate, before, version, state, attempts,
      due_at, request_id, caller, created_at, precedence)
    select connection, id + n, 'other' || n, kind, about, 1, 0, null, 1, 'waiting', 0, due_at, request_id, caller, created_at, 0
    from operation, other`,
  )
  clock.setBack(7_200_000)
  await bridge.until('all are due', () => {
    assert.ok(clock.now() < before - 3_600_000, 'it has taken an hour')
    return (
      bridge.row(`select count(*) as n from operation where state = 'waiting' and due_at > ${before - 3_600_000}`)
        ?.n === 0
    )
  })
})
