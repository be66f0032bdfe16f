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
  /** Rejects with the first failure: nothing is stored then. */
  commit(): Promise<void>
  /** False: the server was not heard to have done it. */
  rollback(): Promise<boolean>
  /** All that was sent has been answered, or never will be. */
  end(): Promise<void>
}

/** Serves the writers of one connection one at a time. */
export interface Entrance {
  /** Asked in front of the first statement, which may be about a connection. */
  begin(connection: string | undefined): readonly string[]
  /** Takes the answers to `begin`, and throws when the store is not ours any more. */
  admit(answers: readonly (readonly Readonly<Record<string, unknown>>[])[]): void
  /** Asked in front of the first statement about another connection. */
  lock(connection: string): string
}

/**
 * A message to the server and back costs more than what most statements do there, so statements go out behind each other and only
 * those whose answer is needed are waited for. They are answered in their order: after a failure PostgreSQL takes nothing more in
 * the transaction and commits nothing, and the first failure is the reason of all that follow.
 */
export function createConversation(
  connect: (connection: string | undefined) => Promise<PostgresSession>,
  entrance: Entrance,
): Conversation {
  const locked = new Set<string>()
  const underWay = new Set<Promise<unknown>>()
  /** Sends of those who came too early, in the order asked. */
  const waiting: (() => void)[] = []
  /** On its answer it depends whether anything may follow. */
  let decisive: Promise<unknown> | undefined
  /** Since the first statement. */
  let session: PostgresSession | undefined
  let isOver = false
  let failure: unknown

  function fail(error: unknown): unknown {
    failure ??= asStoreError(error)
    goOn()
    return failure
  }

  function answered<Answer>(sent: Promise<Answer>): Promise<Answer> {
    const answer = sent.catch((error: unknown) => {
      throw fail(error)
    })
    const done = () => {
      underWay.delete(settled)
      goOn()
    }
    const settled: Promise<void> = answer.then(done, done)
    underWay.add(settled)
    return answer
  }

  /**
   * The first statement begins the transaction and takes its lock, in one message, and nothing is said before that is answered: a
   * `begin` that was cancelled before it was carried out begins nothing, and what comes behind it would be stored by itself.
   */
  async function opened<Row>(query: Query<Row> | undefined, connection: Value | undefined): Promise<{ rows: Row[] }> {
    const about = typeof connection === 'string' ? connection : undefined
    if (about !== undefined) locked.add(about)
    const before = entrance.begin(about).map((text) => ({ text }))
    const own = query === undefined ? [] : [{ text: query.sql, values: valuesOf(query) }]
    session = await connect(about)
    const answers = await session.together<Row & Record<string, unknown>>([...before, ...own])
    entrance.admit(answers)
    return { rows: answers.at(-1) ?? [] }
  }

  function send<Row>(text: string, values?: readonly Value[]): Promise<{ rows: Row[] }> {
    if (session === undefined) throw new Error('a statement in front of the beginning of its transaction')
    return session.query<Row & Record<string, unknown>>(text, values)
  }

  function enter(connection: Value | undefined): void {
    if (typeof connection !== 'string' || locked.has(connection)) return
    locked.add(connection)
    void answered(send(entrance.lock(connection))).catch(() => undefined)
  }

  /** Sends it once everything that was asked before has been sent, and an answer could be kept; throws what has failed by then. */
  function inTurn<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    const sending = async () => {
      if (failure !== undefined) throw failure
      if (isOver) throw new Error('a transaction was used after its end')
      return send()
    }
    if (waiting.length === 0 && mayGo()) return sending()
    return new Promise((resolve) => waiting.push(() => resolve(sending())))
  }

  /** Who is to be refused does not wait. */
  function mayGo(): boolean {
    return failure !== undefined || isOver || (decisive === undefined && underWay.size < mostUnanswered)
  }

  function goOn(): void {
    while (waiting.length > 0 && mayGo()) waiting.shift()?.()
  }

  /** Sends it with what it needs in front of it. */
  function say<Row>(query: Query<Row>): Promise<{ rows: Row[] }> {
    const { connection, mayBeTaken = false } = query
    if (session === undefined && !mayBeTaken) return alone(answered(opened(query, connection)))
    if (session === undefined) return alone(answered(opened(undefined, connection)).then(() => guarded(query)))
    enter(connection)
    return mayBeTaken ? alone(guarded(query)) : answered(sent(query))
  }

  function sent<Row>(query: Query<Row>): Promise<{ rows: Row[] }> {
    try {
      return send<Row>(query.sql, valuesOf(query))
    } catch (error) {
      return Promise.reject(fail(error))
    }
  }

  /** What was done before stays, and the transaction goes on, when the name or account is taken. */
  async function guarded<Row>(query: Query<Row>): Promise<{ rows: Row[] }> {
    const all = [send('savepoint before_name'), sent(query), send('release savepoint before_name')] as const
    const [saved, asked, released] = await Promise.allSettled(all)
    if (saved.status === 'rejected') throw fail(saved.reason)
    if (asked.status === 'rejected') {
      const stored = asStoreError(asked.reason)
      if (!isTaken(stored)) throw fail(stored)
      await answered(send('rollback to savepoint before_name'))
      throw stored
    }
    if (released.status === 'rejected') throw fail(released.reason)
    return asked.value
  }

  /** What is said before it is known whether a name is taken would fail with it. */
  function alone<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const known = () => {
      decisive = undefined
      goOn()
    }
    decisive = answer.then(known, known)
    return answer
  }

  /** What is still waiting is not sent any more: it would be stored by itself. */
  async function close(): Promise<void> {
    isOver = true
    goOn()
    await decisive
  }

  return {
    ask: (query) => inTurn(() => say(query)),
    tell: (query) => inTurn(async () => void say(query).catch(() => undefined)),
    async commit() {
      // In its turn: what nobody awaited is inside, too, and only who is let in may commit.
      await inTurn(async () => {
        isOver = true
        if (session !== undefined) await answered(session.query('commit'))
      })
      if (failure !== undefined) throw failure
    },
    async rollback() {
      await close()
      if (session === undefined) return true
      return session.query('rollback').then(
        () => true,
        () => false,
      )
    },
    async end() {
      await close()
      await Promise.all(underWay)
    },
  }
}
