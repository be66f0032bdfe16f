/** List 9.1, number 1, its part about names: the platform's cannot be resolved. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type Bench, startBench } from './fault-bench.ts'
import { positions } from './faults.ts'
import { accountOperations } from './operations.ts'
import { type Resolver, startResolver } from './resolver.ts'

describe("when the name of Figshare's host", { concurrency: 1 }, () => {
  let resolver: Resolver
  let bench: Bench
  before(async () => {
    resolver = startResolver('figshare.platform.example')
    bench = await startBench('figshare', { resolver })
  })
  after(async () => {
    await bench.stop()
    resolver.end()
  })

  for (const fault of ['ENOTFOUND', 'EAI_AGAIN'] as const) {
    for (const operation of accountOperations) {
      for (const position of positions) {
        test(`1 cannot be resolved (${fault}) during a ${operation.name}, at ${position}`, () =>
          bench.runUnresolved(operation, fault, position))
      }
    }
  }
  for (const operation of accountOperations.filter(({ name }) => name === 'create' || name === 'deactivate')) {
    test(`1 is asked for in vain during a ${operation.name}`, () =>
      bench.runUnresolved(operation, 'never answers', 'find'))
  }

  test('1 cannot be resolved again and again, calls are suspended, an operator is told, and all is made afterwards', async () => {
    const { world, scim } = bench
    const { figshare } = world.sandbox
    await figshare.refuseAfter(0)
    await figshare.accept()
    resolver.fail('ENOTFOUND', 0)
    const people = Array.from({ length: 5 }, () => aUser())
    for (const user of people) assert.equal((await scim.post(user)).status, 429)
    const told = world.logLines
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'calls to the platform are suspended')
    assert.equal(told.length, 1)
    assert.equal(told[0].alarm, true)
    assert.equal(told[0].reason, 'unreachable')
    assert.match(told[0].detail, /the name figshare\.platform\.example could not be resolved \(ENOTFOUND\)/)
    const asked = resolver.failed
    assert.equal((await scim.post(aUser())).status, 429)
    assert.equal(resolver.failed, asked, 'nobody asks for the name while calls are suspended')
    resolver.heal()
    await eventually(
      'all have their account',
      () => people.every(({ userName }) => figshare.logic.state.byEmail(String(userName)).length === 1),
      () => world.clock.advance(1_000),
    )
  })
})
