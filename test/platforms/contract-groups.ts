/** What every module is asked about groups and about the forms of its grants, each against a fresh simulator. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Absent, Conflict, Immutable, Refused } from '../../src/errors.ts'
import type { Grant } from '../../src/facts.ts'
import type { PlatformConnection, PlatformGroup, PlatformGroups } from '../../src/platforms/platform.ts'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'
import { aCall, groupsOf, type OtherGrants, type PlatformWorld, type StartedWorld } from './world.ts'

interface Stage {
  readonly started: StartedWorld
  readonly connection: PlatformConnection
}

type Question = (
  name: string,
  settings: Readonly<Record<string, unknown>>,
  answer: (stage: Stage) => Promise<void>,
) => void

export function groupSuite(world: PlatformWorld): void {
  const { facts } = world
  const traffic: RecordedCall[] = []
  const question: Question = (name, settings, answer) =>
    test(name, async () => {
      const started = await world.start()
      try {
        await answer({ started, connection: started.connect({ settings }) })
      } finally {
        traffic.push(...started.simulator.calls)
        await started.close()
      }
    })

  describe(`${facts.title} answers for its grants`, () => {
    question('the calls of a grant are those that the handbook counts', {}, async ({ started, connection }) => {
      const { id } = await connection.create(aCall(), world.person('ada'))
      const { one } = world.grants
      const costs = {
        read: await callsOf(started, () => connection.readGrants(aCall(), id)),
        give: await callsOf(started, () => connection.writeGrants(aCall(), id, [one], [])),
        unchanged: await callsOf(started, () => connection.writeGrants(aCall(), id, [one], [])),
        take: await callsOf(started, () => connection.writeGrants(aCall(), id, [], [one])),
      }
      assert.deepEqual(costs, world.grantCalls)
    })

    question('grants of an account that is gone are absent', {}, async ({ started, connection }) => {
      const { id } = await connection.create(aCall(), world.person('ada'))
      await started.removeByHand(id)
      await assert.rejects(connection.readGrants(aCall(), id), Absent)
      await assert.rejects(connection.writeGrants(aCall(), id, [world.grants.one], []), Absent)
    })

    for (const other of world.otherGrants ?? []) otherGrants(world, other, question)

    question('it has groups exactly where its facts say so', world.groups?.settings ?? {}, async ({ connection }) => {
      assert.equal(connection.groups !== undefined, facts.groups !== undefined)
      assert.equal(world.groups !== undefined, facts.groups !== undefined, 'the questions below are asked')
    })

    after(() => assert.deepEqual(world.faultsOf?.(traffic) ?? [], []))
  })
  if (world.groups !== undefined) describe(`${facts.title} answers for its groups`, () => askGroups(world, question))
}

/** As questions 15 to 17 of the contract ask of the first form. */
function otherGrants(
  world: PlatformWorld,
  { name, settings, one, two, unknown }: OtherGrants,
  question: Question,
): void {
  question(`${name} is given once, and goes`, settings, async ({ started, connection }) => {
    const { id } = await connection.create(aCall(), world.person('ada'))
    const given = await connection.writeGrants(aCall(), id, [one, one], [two])
    assert.equal(given.filter((grant) => isDeepStrictEqual({ ...grant }, { ...one })).length, 1)
    assert.deepEqual(await connection.readGrants(aCall(), id), given)
    const writes = writesOf(started)
    assert.deepEqual(await connection.writeGrants(aCall(), id, [one], [two]), given)
    assert.equal(writesOf(started), writes)
    const moved = await connection.writeGrants(aCall(), id, [two], [one])
    assert.ok(!holds(moved, one))
    assert.ok(holds(moved, two))
    const left = await connection.writeGrants(aCall(), id, [], [two])
    assert.ok(!holds(left, two))
    assert.deepEqual(await connection.readGrants(aCall(), id), left)
  })

  question(`${name} that is unknown is refused, and the old set stays`, settings, async ({ connection }) => {
    const { id } = await connection.create(aCall(), world.person('ada'))
    const before = await connection.writeGrants(aCall(), id, [one, world.grants.two], [])
    await assert.rejects(connection.writeGrants(aCall(), id, [unknown], [one]), Refused)
    await assert.rejects(connection.writeGrants(aCall(), id, [two, world.grants.unknown], [one]), Refused)
    assert.deepEqual(await connection.readGrants(aCall(), id), before)
  })

  const isMute = Object.keys(settings).length === 0
  if (isMute) return
  question(`${name} is refused, not dropped, without the setting that it needs`, {}, async ({ connection }) => {
    const { id } = await connection.create(aCall(), world.person('ada'))
    await assert.rejects(
      connection.writeGrants(aCall(), id, [one], []),
      (error) => error instanceof Refused && /settings\./.test(error.message),
    )
  })
}

function askGroups(world: PlatformWorld, ask: Question): void {
  const { settings, protectedName, calls } = world.groups ?? {}
  const limit = world.facts.groups?.maxNameLength ?? 0
  const question = (name: string, answer: (stage: Stage & { groups: PlatformGroups }) => Promise<void>) =>
    ask(name, settings ?? {}, (stage) => answer({ ...stage, groups: groupsOf(stage.connection) }))
  const join = async ({ connection }: Stage, group: PlatformGroup, key: string) => {
    const { id } = await connection.create(aCall(), world.person(key))
    await connection.writeGrants(aCall(), id, [groupsOf(connection).grantOf(group)], [])
    return id
  }

  question('a group is found by exactly its name', async ({ groups }) => {
    const made: PlatformGroup[] = []
    for (const name of ['Biology 2', 'Bio_ogy', 'Biology', 'Micro Biology'])
      made.push(await groups.create(aCall(), name))
    for (const group of made) assert.deepEqual(await groups.find(aCall(), group.name), group)
    for (const name of ['Biolog', 'biology', 'BIOLOGY', 'B%y', 'Bio%', 'Biolog_', '%', '_', '*', '', ' '])
      assert.equal(await groups.find(aCall(), name), undefined)
  })

  question('a group is read by its id; an unknown id is none', async ({ groups }) => {
    const made = await groups.create(aCall(), 'Biology')
    assert.deepEqual(await groups.read(aCall(), made.id), made)
    for (const id of ['999999', '00000000-0000-4000-8000-00000000dead', 'x', ''])
      assert.equal(await groups.read(aCall(), id), undefined)
  })

  question('making a group that is there is a conflict, and writes nothing', async ({ started, groups }) => {
    await groups.create(aCall(), 'Biology')
    const writes = writesOf(started)
    await assert.rejects(groups.create(aCall(), 'Biology'), Conflict)
    assert.equal(writesOf(started), writes)
  })

  question('a renamed group keeps its id and its members', async (stage) => {
    const { started, connection, groups } = stage
    const before = await groups.create(aCall(), 'Biology')
    const other = await groups.create(aCall(), 'Chemistry')
    const id = await join(stage, before, 'ada')
    const renamed = await groups.rename(aCall(), before.id, 'Life Sciences')
    assert.deepEqual(renamed, { id: before.id, name: 'Life Sciences' })
    assert.deepEqual(await groups.find(aCall(), 'Life Sciences'), renamed)
    assert.equal(await groups.find(aCall(), 'Biology'), undefined)
    const held = await connection.readGrants(aCall(), id)
    assert.ok(holds(held, groups.grantOf(renamed)))
    assert.ok(!holds(held, groups.grantOf(before)))
    const writes = writesOf(started)
    assert.deepEqual(await groups.rename(aCall(), before.id, 'Life Sciences'), renamed)
    assert.equal(writesOf(started), writes)
    await assert.rejects(groups.rename(aCall(), before.id, other.name), Conflict)
    assert.deepEqual(await groups.read(aCall(), before.id), renamed)
  })

  question('a membership is given, seen and taken by the id of the group, whatever its name is now', async (stage) => {
    const { connection, groups } = stage
    const before = await groups.create(aCall(), 'Biology')
    const { id } = await connection.create(aCall(), world.person('ada'))
    const byId = { ...groups.grantOf(before), id: before.id }
    await groups.rename(aCall(), before.id, 'Life Sciences')
    await connection.writeGrants(aCall(), id, [byId], [])
    assert.deepEqual(await groups.heldBy(aCall(), id), [{ id: before.id, name: 'Life Sciences' }])
    await groups.create(aCall(), 'Biology')
    await connection.writeGrants(aCall(), id, [], [byId])
    assert.deepEqual(await groups.heldBy(aCall(), id), [])
    await groups.remove(aCall(), before.id)
    await assert.rejects(connection.writeGrants(aCall(), id, [byId], []), Refused)
  })

  question('a group is removed with its memberships, and again without an error', async (stage) => {
    const { started, connection, groups } = stage
    const group = await groups.create(aCall(), 'Biology')
    const other = await groups.create(aCall(), 'Biology 2')
    const id = await join(stage, group, 'ada')
    await connection.writeGrants(aCall(), id, [groups.grantOf(other)], [])
    await groups.remove(aCall(), group.id)
    assert.equal(await groups.read(aCall(), group.id), undefined)
    assert.equal(await groups.find(aCall(), 'Biology'), undefined)
    assert.deepEqual(await groups.read(aCall(), other.id), other)
    const held = await connection.readGrants(aCall(), id)
    assert.ok(!holds(held, groups.grantOf(group)))
    assert.ok(holds(held, groups.grantOf(other)))
    const writes = writesOf(started)
    await groups.remove(aCall(), group.id)
    assert.equal(writesOf(started), writes)
    await assert.rejects(groups.rename(aCall(), group.id, 'Chemistry'), Absent)
  })

  question('the name of a group that was emptied and removed can be used again, by nobody at first', async (stage) => {
    const { connection, groups } = stage
    const group = await groups.create(aCall(), 'Biology')
    const id = await join(stage, group, 'ada')
    await connection.writeGrants(aCall(), id, [], [groups.grantOf(group)])
    await groups.remove(aCall(), group.id)
    const again = await groups.create(aCall(), 'Biology')
    assert.deepEqual(await groups.find(aCall(), 'Biology'), again)
    assert.ok(!holds(await connection.readGrants(aCall(), id), groups.grantOf(again)))
  })

  question(
    'names are kept to the last character up to the limit, and refused beyond it',
    async ({ started, groups }) => {
      for (const name of ["O'Brien & <Söhne> + 100%", '王小明', 'x'.repeat(limit)]) {
        const made = await groups.create(aCall(), name)
        assert.equal(made.name, name)
        assert.deepEqual(await groups.find(aCall(), name), made)
      }
      const group = await groups.create(aCall(), 'Biology')
      const writes = writesOf(started)
      for (const name of ['x'.repeat(limit + 1), '', ' ']) {
        await assert.rejects(groups.create(aCall(), name), Refused)
        await assert.rejects(groups.rename(aCall(), group.id, name), Refused)
      }
      assert.equal(writesOf(started), writes)
    },
  )

  if (protectedName !== undefined) {
    question('a protected group is shown as such, and neither renamed nor removed', async ({ started, groups }) => {
      const group = await groups.find(aCall(), protectedName)
      assert.ok(group?.protectedBecause !== undefined)
      const writes = writesOf(started)
      await assert.rejects(groups.rename(aCall(), group.id, 'Biology'), Immutable)
      await assert.rejects(groups.remove(aCall(), group.id), Immutable)
      assert.equal(writesOf(started), writes)
      assert.deepEqual(await groups.read(aCall(), group.id), group)
    })
  }

  question('the calls of each are those that the handbook counts', async ({ started, connection, groups }) => {
    await connection.check(aCall())
    const kept = await groups.create(aCall(), 'Chemistry')
    const made = { create: await callsOf(started, () => groups.create(aCall(), 'Biology')) }
    assert.deepEqual(
      {
        ...made,
        find: await callsOf(started, () => groups.find(aCall(), 'Biology')),
        read: await callsOf(started, () => groups.read(aCall(), kept.id)),
        rename: await callsOf(started, () => groups.rename(aCall(), kept.id, 'Physics')),
        remove: await callsOf(started, () => groups.remove(aCall(), kept.id)),
      },
      calls,
    )
  })
}

async function callsOf(started: StartedWorld, action: () => Promise<unknown>): Promise<number> {
  started.simulator.forgetCalls()
  await action()
  return started.simulator.calls.length
}

function holds(grants: readonly Grant[], grant: Grant): boolean {
  return grants.some((one) => isDeepStrictEqual({ ...one }, { ...grant }))
}

function writesOf(started: StartedWorld): number {
  return started.simulator.calls.filter((call) => call.method !== 'GET').length
}
