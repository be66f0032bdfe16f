/** The questions that every platform module answers, each against a fresh simulator. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../src/clock.ts'
import { Absent, Conflict, Denied, Immutable, Refused } from '../../src/errors.ts'
import type { Account, AccountId, Attributes, Grant } from '../../src/facts.ts'
import type { Pace } from '../../src/platforms/client.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'
import { groupSuite } from './contract-groups.ts'
import { aCall, nothingNamed, type PlatformWorld, type StartedWorld } from './world.ts'

interface Stage {
  readonly started: StartedWorld
  readonly connection: PlatformConnection
}

export function contractSuite(world: PlatformWorld): void {
  const { facts } = world
  const traffic: RecordedCall[] = []

  const question = (name: string, answer: (stage: Stage) => Promise<void>) =>
    test(name, async () => {
      const started = await world.start()
      try {
        await answer({ started, connection: started.connect() })
      } finally {
        traffic.push(...started.simulator.calls)
        await started.close()
      }
    })

  const create = (connection: PlatformConnection, key: string) => connection.create(aCall(), world.person(key))
  const keyOf = (attributes: Attributes) => String(attributes.get(world.key))
  const findKey = (connection: PlatformConnection, attributes: Attributes, value = keyOf(attributes)) =>
    connection.find(aCall(), world.key, value, attributes)
  /** Where no two accounts can be found: one of them, so that the question still asks that it is found. */
  const lonely = async (connection: PlatformConnection) => {
    const wanted = world.person('ada')
    await create(connection, 'ada')
    return { attribute: world.key, value: keyOf(wanted), wanted }
  }
  const isOff = (account: Account) =>
    [...world.off].every(([name, value]) => isDeepStrictEqual(account.attributes.get(name), value))
  const reread = async (connection: PlatformConnection, id: AccountId): Promise<Account> => {
    const account = await connection.read(aCall(), id)
    assert.ok(account !== undefined, `account ${id} is there`)
    return account
  }

  describe(`${facts.title} answers the contract`, () => {
    question(
      '1 a create tells the id at once, exactly once, and returns the account under it',
      async ({ connection }) => {
        const call = aCall()
        const account = await connection.create(call, world.person('ada'))
        assert.deepEqual(call.createdIds, [account.id])
        assert.ok(call.writes.length > 0, 'each write was announced')
      },
    )

    question('2 find gives exactly the account with the value', async ({ connection }) => {
      const ada = await create(connection, 'ada')
      await create(connection, 'bob')
      assert.deepEqual(idsOf(await findKey(connection, world.person('ada'))), [ada.id])
    })

    question('3 find of an unknown value gives none, without an error', async ({ connection }) => {
      assert.deepEqual(await findKey(connection, world.person('nobody')), [])
    })

    question('4 find gives both of two accounts with one value', async ({ started, connection }) => {
      const { attribute, value, wanted } = (await started.plantTwins?.()) ?? (await lonely(connection))
      const found = await connection.find(aCall(), attribute, value, wanted)
      if (started.plantTwins === undefined) {
        assert.equal(found.length, 1)
        return
      }
      assert.equal(new Set(idsOf(found)).size, 2)
      assert.equal(found.length, 2)
    })

    question('5 find is not fooled by case, wildcards, substrings or accents', async ({ connection }) => {
      const { attribute, stored, asked } = world.lookAlikes
      const person = new Map([...world.person('ada'), [attribute, stored]])
      const account = await connection.create(aCall(), person)
      assert.deepEqual(idsOf(await connection.find(aCall(), attribute, stored, person)), [account.id])
      for (const value of asked) {
        assert.deepEqual(await connection.find(aCall(), attribute, value, new Map([...person, [attribute, value]])), [])
      }
    })

    question('6 what is read back is what was written', async ({ connection }) => {
      const account = await create(connection, 'ada')
      assertHolds(account, world.person('ada'))
      assert.deepEqual(await reread(connection, account.id), account)
    })

    question('7 an update leaves the other attributes alone', async ({ connection }) => {
      const before = await create(connection, 'ada')
      const call = aCall()
      const after = await connection.update(call, before, world.change)
      assert.ok(call.writes.length > 0, 'each write was announced')
      assertHolds(after, world.change)
      const others = (account: Account) => new Map([...account.attributes].filter(([name]) => !world.change.has(name)))
      assert.deepEqual(others(after), others(before))
      assert.deepEqual(await reread(connection, before.id), after)
    })

    question('8 an update that changes nothing calls nothing', async ({ started, connection }) => {
      const before = await create(connection, 'ada')
      started.simulator.forgetCalls()
      const after = await connection.update(aCall(), before, new Map(before.attributes.entries()))
      assert.deepEqual(after, before)
      assert.equal(started.simulator.calls.length, 0)
    })

    question('9 a deactivated account reads as off', async ({ connection }) => {
      const before = await create(connection, 'ada')
      assert.ok(!isOff(before), 'a new person is on')
      assert.ok(isOff(await connection.update(aCall(), before, world.off)))
      assert.ok(isOff(await reread(connection, before.id)))
    })

    question('10 deactivating twice writes once', async ({ started, connection }) => {
      const off = await connection.update(aCall(), await create(connection, 'ada'), world.off)
      started.simulator.forgetCalls()
      assert.deepEqual(await connection.update(aCall(), off, world.off), off)
      assert.equal(started.simulator.calls.length, 0)
    })

    question('11 a reactivated account reads as on, with everything it had', async ({ connection }) => {
      const before = await create(connection, 'ada')
      const off = await connection.update(aCall(), before, world.off)
      const on = await connection.update(aCall(), off, world.on)
      assertHolds(on, world.on)
      assert.deepEqual(on.attributes, before.attributes)
    })

    question('12 an update never reactivates', async ({ connection }) => {
      const off = await connection.update(aCall(), await create(connection, 'ada'), world.off)
      // Some platforms refuse to edit an account that is off; what counts is that it stays off.
      await connection.update(aCall(), off, world.change).catch((error: unknown) => assert.ok(isPlatformRefusal(error)))
      assert.ok(isOff(await reread(connection, off.id)))
    })

    question('13 a delete, as far as the platform has one, may be repeated', async ({ connection }) => {
      const account = await create(connection, 'ada')
      assert.equal(connection.remove !== undefined, facts.canDelete)
      if (connection.remove === undefined) return
      await connection.remove(aCall(), account.id)
      const removed = await connection.read(aCall(), account.id)
      if (world.removedAs === undefined) assert.equal(removed, undefined)
      else assertHolds(await reread(connection, account.id), world.removedAs)
      await connection.remove(aCall(), account.id)
      assert.deepEqual(await connection.read(aCall(), account.id), removed)
      if (world.removedAs === undefined) assert.deepEqual(await findKey(connection, world.person('ada')), [])
    })

    question('14 an account that is gone under our feet is absent', async ({ started, connection }) => {
      const account = await create(connection, 'ada')
      await started.removeByHand(account.id)
      assert.equal(await connection.read(aCall(), account.id), undefined)
      assert.deepEqual(await findKey(connection, world.person('ada')), [])
      await assert.rejects(connection.update(aCall(), account, world.change), Absent)
    })

    question('15 a grant given twice is held once', async ({ started, connection }) => {
      const { id } = await create(connection, 'ada')
      assert.ok(!holds(await connection.readGrants(aCall(), id), world.grants.one))
      const given = await connection.writeGrants(aCall(), id, [world.grants.one, world.grants.one], [])
      assert.equal(given.filter((grant) => isSameGrant(grant, world.grants.one)).length, 1)
      const writes = writesOf(started)
      assert.deepEqual(await connection.writeGrants(aCall(), id, [world.grants.one], []), given)
      assert.equal(writesOf(started), writes)
      assert.deepEqual(await connection.readGrants(aCall(), id), given)
    })

    question(
      '16 a grant that is not held may be taken; one that is held goes, and only that',
      async ({ started, connection }) => {
        const { id } = await create(connection, 'ada')
        await connection.writeGrants(aCall(), id, [world.grants.one], [])
        const writes = writesOf(started)
        await connection.writeGrants(aCall(), id, [], [world.grants.two])
        assert.equal(writesOf(started), writes)
        await connection.writeGrants(aCall(), id, [world.grants.two], [])
        const left = await connection.writeGrants(aCall(), id, [], [world.grants.one])
        assert.ok(!holds(left, world.grants.one))
        assert.ok(holds(left, world.grants.two))
      },
    )

    question('17 an unknown grant is refused, and the old set stays', async ({ connection }) => {
      const { id } = await create(connection, 'ada')
      const before = await connection.writeGrants(aCall(), id, [world.grants.one], [])
      await assert.rejects(connection.writeGrants(aCall(), id, [world.grants.unknown], []), Refused)
      await assert.rejects(connection.writeGrants(aCall(), id, [world.grants.unknown], [world.grants.one]), Refused)
      assert.deepEqual(await connection.readGrants(aCall(), id), before)
    })

    question(
      '18 texts are kept to the last character up to the limit, and refused beyond it',
      async ({ connection }) => {
        const { attribute, accepted, refused } = world.texts
        let account = await create(connection, 'ada')
        for (const text of accepted) {
          account = await connection.update(aCall(), account, new Map([[attribute, text]]))
          assert.equal(account.attributes.get(attribute), text)
        }
        for (const text of refused) {
          await assert.rejects(connection.update(aCall(), account, new Map([[attribute, text]])), Refused)
        }
        assert.deepEqual(await reread(connection, account.id), account)
      },
    )

    question('19 a value that another account has is a conflict, and leaves nothing behind', async ({ connection }) => {
      const ada = await create(connection, 'ada')
      const before = await walk(connection)
      const rival = new Map([...world.person('bob'), [world.key, keyOf(world.person('ada'))]])
      await assert.rejects(connection.create(aCall(), rival), Conflict)
      assert.deepEqual(idsOf(await findKey(connection, world.person('ada'))), [ada.id])
      assert.deepEqual(idsOf(await walk(connection)).sort(), idsOf(before).sort())
    })

    question('20 a walk gives every account once, whole, and the same again', async ({ connection }) => {
      const made = []
      for (const key of manyKeys) made.push(await create(connection, key))
      const walked = await walk(connection)
      const byId = new Map(walked.map((account) => [account.id, account]))
      assert.equal(byId.size, walked.length, 'no account twice')
      for (const account of made) assert.deepEqual(byId.get(account.id), account)
      assert.deepEqual(idsOf(await walk(connection)).sort(), idsOf(walked).sort())
    })

    question('21 every request waits for its slot of the pace', async ({ started }) => {
      const clock = aClock()
      const pace = counted(createPace(facts.pace, clock))
      const connection = started.connect({ pace })
      const account = await create(connection, 'ada')
      await connection.update(aCall(), account, world.off)
      const calls = started.simulator.calls.length
      assert.equal(pace.slots, calls)
      assert.equal(pace.freed, calls)
      assert.ok(clock.now() >= ((calls - 1) * 1000) / facts.pace.requestsPerSecond - calls, `${calls} calls were paced`)
    })

    question(`22 a sign-in that ends in the middle is ${world.afterSignInEnds}`, async ({ started, connection }) => {
      const account = await create(connection, 'ada')
      await started.endSignIn()
      if (world.afterSignInEnds === 'renewed') {
        assert.deepEqual(await connection.read(aCall(), account.id), account)
        return
      }
      started.simulator.forgetCalls()
      await assert.rejects(connection.read(aCall(), account.id), Denied)
      assert.equal(started.simulator.calls.length, 1)
    })

    question('23 wrong credentials are tried once and end in Denied', async ({ started }) => {
      const connection = started.connect({ credentials: 'wrong' })
      const attempt = () => findKey(connection, world.person('ada'))
      await assert.rejects(attempt(), Denied)
      const calls = started.simulator.calls.length
      assert.equal(calls, world.signInCalls ?? 1)
      await assert.rejects(attempt(), Denied)
      // Where wrong credentials lock the service account, nothing is sent until somebody asks.
      if (facts.locksOnWrongCredentials) assert.equal(started.simulator.calls.length, calls)
      await assert.rejects(connection.check(aCall()), Denied)
      assert.ok(started.simulator.calls.length > calls, 'check asks anew')
    })

    question('25 a probe with the right credentials finds what is needed, and only reads', async ({ connection }) => {
      const call = aCall()
      const steps = await connection.probe(call, nothingNamed)
      assert.ok(steps.length >= 3)
      assert.deepEqual(
        steps.filter(({ result }) => result !== 'ok').map(({ name, seen }) => `${name}: ${seen}`),
        [],
      )
      assert.deepEqual(call.writes, [])
    })

    question(
      '26 a probe with wrong credentials tries them once, says what to mend, and asks nothing more',
      async ({ started }) => {
        const connection = started.connect({ credentials: 'wrong' })
        const steps = await connection.probe(aCall(), nothingNamed)
        const failed = steps.findIndex(({ result }) => result === 'failed')
        assert.match(steps[failed]?.seen ?? '', /^denied: /)
        assert.match(steps[failed]?.remedy ?? '', /settings/)
        assert.ok(steps.slice(failed + 1).every(({ result }) => result === 'skipped'))
        // DSpace says its version to anybody.
        assert.ok(started.simulator.calls.length <= (world.signInCalls ?? 1) + failed)
      },
    )

    question('24 a protected account is shown as such and never written', async ({ started, connection }) => {
      const id = await started.plantProtected()
      const account = await reread(connection, id)
      assert.ok(account.protectedBecause !== undefined)
      const writes = writesOf(started)
      await assert.rejects(connection.update(aCall(), account, world.off), Immutable)
      assert.equal(writesOf(started), writes)
      assert.deepEqual(await reread(connection, id), account)
    })

    after(() => {
      assert.ok(traffic.length > 100, 'the questions made traffic')
      assert.deepEqual(world.faultsOf?.(traffic) ?? [], [])
    })
  })
  groupSuite(world)
}

const manyKeys = ['ada', 'bob', 'cyd', 'dee', 'eve', 'fay', 'gus', 'hal', 'ida', 'jon', 'kim', 'lea']

/** The whole of a walk; a walk that does not end fails. */
async function walk(connection: PlatformConnection): Promise<Account[]> {
  const accounts: Account[] = []
  let cursor: string | undefined
  for (let page = 0; page < 100; page += 1) {
    const answer = await connection.list(aCall(), cursor)
    accounts.push(...answer.accounts)
    cursor = answer.next
    if (cursor === undefined) return accounts
  }
  throw assert.fail('the walk does not end')
}

function idsOf(accounts: readonly Account[]): AccountId[] {
  return accounts.map((account) => account.id)
}

/** Fails when the account as read lacks one of the values, naming it. */
function assertHolds(account: Account, wanted: Attributes): void {
  const read = new Map([...wanted.keys()].map((name) => [name, account.attributes.get(name) ?? null]))
  assert.deepEqual(read, new Map(wanted))
}

function isSameGrant(grant: Grant, other: Grant): boolean {
  return isDeepStrictEqual({ ...grant }, { ...other })
}

function holds(grants: readonly Grant[], grant: Grant): boolean {
  return grants.some((one) => isSameGrant(one, grant))
}

function isPlatformRefusal(error: unknown): boolean {
  return error instanceof Immutable || error instanceof Refused
}

/** Requests that are no plain reading. Modules that search by POST count those too: none may come where none is expected. */
function writesOf(started: StartedWorld): number {
  return started.simulator.calls.filter((call) => call.method !== 'GET').length
}

/** Time that passes only when somebody sleeps. */
export function aClock(): Clock {
  let now = Date.UTC(2026, 10, 23)
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      now += ms
    },
  }
}

function counted(pace: Pace): Pace & { readonly slots: number; readonly freed: number } {
  let slots = 0
  let freed = 0
  return {
    get slots() {
      return slots
    },
    get freed() {
      return freed
    },
    async acquire(signal) {
      const release = await pace.acquire(signal)
      slots += 1
      return () => {
        freed += 1
        release()
      }
    },
    hold: (ms) => pace.hold(ms),
    noteAnswer: (isThere) => pace.noteAnswer(isThere),
  }
}
