/** What is due is attempted, whoever asked for it: leavers first, as many at once as the platform may have. */
import { setBack } from '../clock.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { releaseHeld } from './guardrails.ts'
import type { Suspension } from './suspension.ts'

/** How often it is looked for operations that have become due. */
const tickMs = 500
const batch = 32
/** Operations that are made due together. */
const lookAhead = 1_000
/** After what was reached could not be recorded: the store may need a while, and the platform is not asked in vain. */
const storePauseMs = 5_000
/** A clock that is set back by more than that makes everything due: waits that were planned by it mean nothing any more. */
const clockToleranceMs = 5_000

export interface Outbox {
  /** Looks soon. */
  wake(): void
  /** The store was away. */
  pause(): void
  start(): void
  /** Begins nothing more. Resolves when it looks no more; what it has begun may be in work still. */
  end(): Promise<void>
}

interface OutboxWork {
  readonly suspension: Suspension
  /** Whether somebody is at the link's operation already. */
  isRunning(resourceId: string): boolean
  /** At how many links somebody is. */
  running(): number
  /** Resolves when the attempt has ended, whatever has come of it. */
  run(resourceId: string): Promise<void>
}

export function createOutbox(connection: ProvisionedConnection, world: World, work: OutboxWork): Outbox {
  const { store, clock, log } = world
  const { suspension } = work
  const { breaker } = suspension
  const setBackMs = setBack(clock)
  let wasSetBack = false
  /** Its own alone: attempts that requests wait for may always be under way, and would leave it no place. */
  let begun = 0
  /** The last look took all places: more may be due. */
  let isFull = false
  let isEnding = false
  let pausedUntil = 0
  let loop: Promise<void> | undefined
  let nudge: (() => void) | undefined

  /** After an outage, at start, and when the clock was set back: nothing waits longer than it must. Answers whether that was all. */
  async function makeDue(most = lookAhead): Promise<boolean> {
    const now = clock.now()
    const waiting = await store.dueOperations(connection.name, Number.MAX_SAFE_INTEGER, most)
    const later = waiting.filter(({ dueAt }) => dueAt > now)
    for (let from = 0; from < later.length; from += lookAhead) {
      await store.transaction(async (write) => {
        for (const { id } of later.slice(from, from + lookAhead))
          await write.updateOperation(connection.name, id, { dueAt: now })
      })
    }
    return waiting.length < most
  }

  /** Everything, however much it is: what is left would wait for as long as the clock was set back. */
  async function makeAllDue(): Promise<void> {
    for (let most = lookAhead; !(await makeDue(most)); ) most *= 2
  }

  async function turn(): Promise<void> {
    // Until it is done: the store may be away just now.
    wasSetBack ||= setBackMs() > clockToleranceMs
    if (wasSetBack) {
      log.warn({ connection: connection.name }, 'the clock was set back: what waits is tried now')
      pausedUntil = 0
      await makeAllDue()
      wasSetBack = false
    }
    if (breaker.isProbeDue() && (await suspension.probe())) await makeDue()
    if (!breaker.isClosed() || clock.now() < pausedUntil) return
    const places = Math.min(batch, Math.max(1, connection.facts.pace.concurrency) * 4 - begun)
    isFull = places <= 0
    if (isFull) return
    // What is in work may be due still, and would leave what is not no place among so few.
    const due = await store.dueOperations(connection.name, clock.now(), places + work.running())
    const next = due.filter(({ resourceId }) => !work.isRunning(resourceId)).slice(0, places)
    isFull = next.length === places
    for (const { resourceId } of next) void begin(resourceId)
  }

  async function begin(resourceId: string): Promise<void> {
    begun += 1
    try {
      await work.run(resourceId)
    } finally {
      begun -= 1
      // A backlog goes on as places become free, and not a handful at each tick.
      if (isFull) nudge?.()
    }
  }

  async function goOn(): Promise<void> {
    await releaseHeld(connection, world).catch((error: unknown) =>
      log.error({ connection: connection.name, err: error }, 'held operations could not be released'),
    )
    await makeDue().catch((error: unknown) =>
      log.error({ connection: connection.name, err: error }, 'the outbox cannot be read'),
    )
    while (!isEnding) {
      // Before the turn: a nudge that comes while it runs, or the end, would be missed otherwise.
      const woken = new Promise<void>((resolve) => {
        nudge = resolve
      })
      try {
        await turn()
      } catch (error) {
        log.error({ connection: connection.name, err: error }, 'the outbox could not be worked on')
      }
      const awake = new AbortController()
      await Promise.race([woken, clock.sleep(tickMs, awake.signal).catch(() => undefined)])
      awake.abort(woken)
    }
  }

  return {
    wake: () => nudge?.(),
    pause() {
      pausedUntil = clock.now() + storePauseMs
    },
    start() {
      loop ??= goOn()
    },
    async end() {
      isEnding = true
      nudge?.()
      await loop
    },
  }
}
