import { asStoreError, isTaken } from './failures.ts'
import { type PostgresSession, valuesOf } from './postgres.ts'
import type { Query, Value } from './statement.ts'

/** Statements under way at once: the driver keeps each until it is answered. */
const mostUnanswered = 200

/** What is said to the server inside one transaction. */
export interface Conversation {
  ask<Row>(query: Query<Row>): Promise<{ rows: Row[] }>
  /** Sends it and does not wait. Failing, it fails everything after it. */
  tell(query: Query<unknown>): Promise<void>
  isBegun(): boolean
  /** Rejects with the first failure: nothing is stored then. */
  commit(): Promise<void>
  /** False: the server was not heard to have done it. */
  rollback(): Promise<boolean>
  /** All that was sent has been answered, or never will be. */
  end(): Promise<void>
}

/** Begins the transaction unless it `isBegun`, and serves the writers of one connection one at a time. */
type Lock = (session: PostgresSession, connection: string, isBegun: boolean) => Promise<void>

/**
 * A message to the server and back costs more than what most statements do there, so statements go out behind each other and only
 * those whose answer is needed are waited for. They are answered in their order: after a failure PostgreSQL takes nothing more in
 * the transaction and commits nothing, and the first failure is the reason of all that follow.
 */
export function createConversation(session: PostgresSession, lock: Lock): Conversation {
  const locked = new Set<string>()
  /** Their locks, and whether the store is still ours. */
  const entered: Promise<void>[] = []
  const underWay = new Set<Promise<unknown>>()
  let guarding: Promise<unknown> | undefined
  let isBegun = false
  let failure: unknown

  function fail(error: unknown): unknown {
    failure ??= asStoreError(error)
    return failure
  }

  function answered<Answer>(sent: Promise<Answer>): Promise<Answer> {
    const answer = sent.catch((error: unknown) => {
      throw fail(error)
    })
    const done = () => void underWay.delete(settled)
    const settled: Promise<void> = answer.then(done, done)
    underWay.add(settled)
    return answer
  }

  /** The transaction is begun and locked in front of its first statement, in the same write. */
  function enter(connection: Value | undefined): void {
    const wasBegun = isBegun
    isBegun = true
    if (typeof connection === 'string' && !locked.has(connection)) {
      locked.add(connection)
      entered.push(answered(lock(session, connection, wasBegun)))
    } else if (!wasBegun) {
      entered.push(answered(session.query('begin').then(() => undefined)))
    }
  }

  async function admitted(): Promise<void> {
    await Promise.all(entered)
  }

  /** Asked anew after each wait: somebody else may have gone first. Undefined: go on. Throws what has failed. */
  function hindrance(): Promise<unknown> | undefined {
    if (failure !== undefined) throw failure
    // What is said before it is known whether a name is taken would fail with it.
    if (guarding !== undefined) return guarding
    return underWay.size < mostUnanswered ? undefined : Promise.race(underWay)
  }

  function sent<Row>(query: Query<Row>): Promise<{ rows: Row[] }> {
    try {
      return session.query<Row & Record<string, unknown>>(query.sql, valuesOf(query))
    } catch (error) {
      return Promise.reject(fail(error))
    }
  }

  /** What was done before stays, and the transaction goes on, when the name or account is taken. */
  async function guarded<Row>(query: Query<Row>): Promise<{ rows: Row[] }> {
    const all = [
      session.query('savepoint before_name'),
      sent(query),
      session.query('release savepoint before_name'),
    ] as const
    const [saved, asked, released] = await Promise.allSettled(all)
    if (saved.status === 'rejected') throw fail(saved.reason)
    if (asked.status === 'rejected') {
      const stored = asStoreError(asked.reason)
      if (!isTaken(stored)) throw fail(stored)
      await answered(session.query('rollback to savepoint before_name'))
      throw stored
    }
    if (released.status === 'rejected') throw fail(released.reason)
    return asked.value
  }

  function alone<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const known = () => {
      guarding = undefined
    }
    guarding = answer.then(known, known)
    return answer
  }

  async function unguarded(): Promise<void> {
    while (guarding !== undefined) await guarding
  }

  return {
    async ask(query) {
      for (let wait = hindrance(); wait !== undefined; wait = hindrance()) await wait
      enter(query.connection)
      const answer = query.mayBeTaken === true ? alone(guarded(query)) : answered(sent(query))
      await admitted()
      return answer
    },
    async tell(query) {
      for (let wait = hindrance(); wait !== undefined; wait = hindrance()) await wait
      enter(query.connection)
      void answered(sent(query)).catch(() => undefined)
    },
    isBegun: () => isBegun,
    async commit() {
      // One that nobody awaited is inside, too.
      await unguarded()
      // Not with the last statements: only who is let in may commit.
      await admitted()
      if (failure !== undefined) throw failure
      if (isBegun) await answered(session.query('commit'))
      if (failure !== undefined) throw failure
    },
    async rollback() {
      if (!isBegun) return true
      await unguarded()
      return session.query('rollback').then(
        () => true,
        () => false,
      )
    },
    async end() {
      await unguarded()
      await Promise.all(underWay)
    },
  }
}
