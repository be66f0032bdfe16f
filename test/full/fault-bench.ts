/** One platform and a bridge in front of it, on which cells of the fault matrix are run one after the other. */
import assert from 'node:assert/strict'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import type { ManualClock } from '../manual-clock.ts'
import { innerAccounts, isSamePerson } from './accounts.ts'
import { assertEnd, type CellAnswer, judgeAway, judgeFault, seenIn } from './fault-judge.ts'
import type { MatrixFault, Position, Seen } from './faults.ts'
import { aGivingGroup, changeGrantByHand, foreignGrant, grantsOfGroup } from './grant-view.ts'
import { assertInvariants } from './invariants.ts'
import type { MatrixOperation, OperationStart } from './operations.ts'
import type { NameFault, Resolver } from './resolver.ts'
import { type SeenAudit, viewStore } from './store-view.ts'
import { startWatch, type Watch } from './watch.ts'
import { type WatchedScim, watchedScim } from './watched-scim.ts'

/** Of time between two looks while something is unfinished: a wait of ours is at most an hour. */
const stepMs = 10_000
/** For so long after a lost create an empty search is asked twice (Figshare), and a leaver waits for it. */
const lostCreateMs = 121_000

export interface Bench {
  readonly world: BridgeWorld
  readonly watch: Watch
  readonly scim: WatchedScim
  /** Runs one cell: the fault, the answer, healing, and the state in the end. */
  run(operation: MatrixOperation, fault: MatrixFault, position: Position): Promise<void>
  /** Nobody listens any more from this position on. */
  runRefused(operation: MatrixOperation, position: Position): Promise<void>
  /** The platform's name leads nowhere any more from this position on. */
  runUnresolved(operation: MatrixOperation, fault: NameFault, position: Position): Promise<void>
  stop(): Promise<void>
}

interface Prepared {
  readonly id: string
  readonly group: string
  readonly start: OperationStart
}

/** How often an operation reads before its first write, and how often it writes, when nothing goes wrong. */
interface Pattern {
  readonly readsBefore: number
  readonly callsUntilWritten: number
}

export interface BenchOptions {
  readonly workMs?: number
  /** The platform is spoken to by its name instead of its address. */
  readonly resolver?: Resolver
}

export async function startBench(platform: DemoPlatform, options: BenchOptions = {}): Promise<Bench> {
  const { workMs, resolver } = options
  const world = await startBridgeWorld(
    ({ connections }) => {
      const connection = isJsonObject(connections) ? connections[platform] : undefined
      if (resolver === undefined || !isJsonObject(connection)) return
      connection.baseUrl = String(connection.baseUrl).replace('127.0.0.1', resolver.name)
    },
    workMs === undefined ? {} : { workMs },
  )
  const foreign = foreignGrant(world.sandbox, platform)
  const watch = startWatch(world, [platform], { isManagedGrant: (_platform, grant) => grant !== foreign })
  const scim = watchedScim(watch, platform, () => world.scim(platform))
  const simulator = world.sandbox[platform]
  const patterns = new Map<string, Pattern>()
  const store = (after = 0) => viewStore(world.directory, platform, after)
  const accountsOf = (user: JsonObject) =>
    innerAccounts(world.sandbox, platform).filter((account) => isSamePerson(user, account))

  let group: string | undefined
  const groupId = async () => {
    if (group !== undefined) return group
    const made = await scim.postGroup({ schemas: [groupUrn], displayName: aGivingGroup[platform] })
    assert.equal(made.status, 201, made.text)
    group = String(made.body.id)
    return group
  }

  const prepare = async (operation: MatrixOperation, user: JsonObject): Promise<Prepared> => {
    if (operation.before === undefined) return { id: '', group: '', start: { account: undefined, gives: [] } }
    const made = await scim.post({ ...user, active: operation.before === 'on' })
    assert.equal(made.status, 201, made.text)
    const id = String(made.body.id)
    if (operation.isAboutGroup !== true) return { id, group: '', start: { account: accountsOf(user)[0], gives: [] } }
    const aboutGroup = await groupId()
    const arranged = await operation.arrange?.(scim, id, aboutGroup)
    assert.ok(arranged === undefined || arranged.status === 204, arranged?.text)
    for (const account of accountsOf(user))
      watch.byHand(platform, () => changeGrantByHand(world.sandbox, platform, account.id, foreign, true))
    const gives = grantsOfGroup(world.sandbox, platform, aGivingGroup[platform])
    assert.equal(gives.length, 1, 'the group gives something')
    return { id, group: aboutGroup, start: { account: accountsOf(user)[0], gives } }
  }

  const patternOf = async (operation: MatrixOperation): Promise<Pattern> => {
    const known = patterns.get(operation.name)
    if (known !== undefined) return known
    // Signed in already: that is no part of the operation.
    assert.equal((await scim.post(aUser())).status, 201)
    const user = aUser()
    const { id, group } = await prepare(operation, user)
    simulator.forgetCalls()
    // Strikes nothing, and counts what writes.
    simulator.fault({ mode: 'slow', delayMs: 0, only: 'writes' })
    const answer = await operation.ask(scim, user, id, group)
    simulator.fault({ mode: 'ok' })
    assert.equal(answer.status, operation.success, answer.text)
    const kinds = simulator.calls.map((call) => isWrite(call))
    const first = kinds.indexOf(true)
    assert.ok(first > 0 && kinds.lastIndexOf(false) > first, `${operation.name} finds, writes and reads back`)
    const pattern = { readsBefore: first, callsUntilWritten: first + 1 }
    patterns.set(operation.name, pattern)
    return pattern
  }
  const isWrite = (call: { method: string; path: string; requestBody: string }) => {
    const rawPath = call.path.slice(simulator.logic.basePath.length).split('?', 1)[0] ?? ''
    const query = new URLSearchParams(call.path.split('?')[1] ?? '')
    return simulator.logic.isWrite({
      method: call.method,
      path: decodeURIComponent(rawPath),
      rawPath,
      query,
      headers: {},
      body: call.requestBody,
    })
  }

  const outcomesAfter = (audit: number): SeenAudit[] => store(audit).audit.filter(({ event }) => event === 'outcome')
  const finished = () =>
    eventually(
      'nothing is unfinished',
      () => store(Number.MAX_SAFE_INTEGER).operations.length === 0,
      () => world.clock.advance(stepMs),
    )

  const cell = async (
    operation: MatrixOperation,
    strike: (pattern: Pattern) => Promise<void>,
    heal: () => Promise<void>,
    judge: (answer: CellAnswer, seen: Seen) => void,
  ) => {
    const pattern = await patternOf(operation)
    world.clock.advance(lostCreateMs)
    const user = aUser()
    const { id, group, start } = await prepare(operation, user)
    const audit = store().audit.at(-1)?.id ?? 0
    await strike(pattern)
    let answer: Awaited<ReturnType<typeof operation.ask>>
    let seen: Seen
    try {
      answer = await whileTimeGoesOn(world.clock, operation.ask(scim, user, id, group))
      // The budget may have ended before the attempt has.
      await eventually('the attempt has ended', () => outcomesAfter(audit).length > 0)
      const [first] = outcomesAfter(audit)
      seen = seenIn(first?.detail ?? {})
      judge(answer, seen)
    } finally {
      await heal()
    }
    await finished()
    assertInvariants(watch)
    const isFinal = answer.status >= 400 && answer.status !== 429
    // SelfCommunity edits nobody who is off: what the first attempt has not edited waits for the return.
    const mayDrift = seen === 'drifted' || platform === 'selfcommunity'
    assertEnd(operation, accountsOf(user), { start, isFinal, mayDrift }, store().resources, user)
  }

  return {
    world,
    watch,
    scim,
    run: (operation, fault, position) =>
      cell(
        operation,
        async ({ readsBefore }) => {
          const only = position === 'write' ? 'writes' : 'reads'
          simulator.fault({ ...fault.request, only, skip: position === 'read-back' ? readsBefore : 0 })
        },
        async () => {
          const fired = simulator.faultCount
          simulator.fault({ mode: 'ok' })
          assert.ok(fired > 0, 'the fault did not fire')
        },
        (answer, seen) => judgeFault({ platform, operation, fault, position }, answer, seen),
      ),
    runRefused: (operation, position) =>
      cell(
        operation,
        (pattern) => simulator.refuseAfter(callsBefore(pattern)[position]),
        () => simulator.accept(),
        judgeAway,
      ),
    runUnresolved: (operation, fault, position) => {
      assert.ok(resolver, 'the bench has a resolver')
      const seenLines = world.logLines.length
      return cell(
        operation,
        async (pattern) => {
          // No socket outlives an answer: each call asks for the name.
          await simulator.refuseAfter(0)
          await simulator.accept()
          await simulator.refuseAfter(Number.MAX_SAFE_INTEGER)
          resolver.fail(fault, callsBefore(pattern)[position])
        },
        async () => {
          const { failed } = resolver
          resolver.heal()
          await simulator.accept()
          assert.ok(failed > 0, 'nobody asked for the name')
        },
        (answer, seen) => {
          judgeAway(answer, seen)
          assert.ok(!JSON.stringify([answer.text, answer.headers]).includes(resolver.name), answer.text)
          const why = fault === 'never answers' ? 'no answer within 5000 ms' : fault
          const said = `the name ${resolver.name} could not be resolved (${why})`
          assert.ok(
            world.logLines.slice(seenLines).some((line) => line.includes(said)),
            'the log names the name',
          )
        },
      )
    },
    stop: () => world.stop(),
  }
}

/** An attempt may wait for a while before it asks the platform again. The first moments are the platform's own. */
async function whileTimeGoesOn<Answer>(clock: ManualClock, answering: Promise<Answer>): Promise<Answer> {
  let moments = 0
  const timer = setInterval(() => {
    moments += 1
    if (moments > 10) clock.advance(1_000)
  }, 20)
  try {
    return await answering
  } finally {
    clearInterval(timer)
  }
}

/** Of the platform, when nothing goes wrong. */
function callsBefore({ readsBefore, callsUntilWritten }: Pattern): Readonly<Record<Position, number>> {
  return { find: 0, write: readsBefore, 'read-back': callsUntilWritten }
}
