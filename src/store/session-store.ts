/** Sessions on the operator's pages, the same for all processes that share the store. Nothing in them opens a page. */
import { sql } from './kysely.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'

export interface StoredSession {
  /** SHA-256 of the cookie. */
  readonly digest: string
  /** What it was begun with: tells nothing of a token. */
  readonly key: string
  /** Milliseconds since 1970. */
  readonly beganAt: number
  readonly usedAt: number
}

/** Those from before these times are forgotten, and all but the newest `most`. */
export interface SessionBounds {
  readonly usedBefore: number
  readonly beganBefore: number
  readonly most: number
}

export interface SessionStore {
  get(digest: string): Promise<StoredSession | undefined>
  begin(session: StoredSession, bounds: SessionBounds): Promise<void>
  use(digest: string, now: number): Promise<void>
  end(digest: string): Promise<void>
  /** Somebody goes to the identity provider. */
  beginSignIn(digest: string, now: number, bounds: Omit<SessionBounds, 'usedBefore'>): Promise<void>
  /** When it was begun; undefined: it was not, or this is the second time. */
  finishSignIn(digest: string): Promise<number | undefined>
}

export interface SessionKeeper {
  readonly sessions: SessionStore
}

interface SessionRow {
  readonly digest: string
  readonly key: string
  readonly began_at: number
  readonly used_at: number
}

type Transaction = <Result>(work: (run: Run) => Promise<Result>) => Promise<Result>

export function createSessionStore(dialect: Dialect): (read: Run, transaction: Transaction) => SessionStore {
  const texts = { ...sessionStatements(dialect), ...signInStatements(dialect) }
  return (read, transaction) => ({
    async get(digest) {
      const { rows } = await read(texts.get({ digest }))
      const [row] = rows
      return row && { digest: row.digest, key: row.key, beganAt: row.began_at, usedAt: row.used_at }
    },
    begin: ({ digest, key, beganAt, usedAt }, { usedBefore, beganBefore, most }) =>
      transaction(async (run) => {
        await run(texts.insert({ digest, key, beganAt, usedAt }))
        await run(texts.forget({ usedBefore, beganBefore, most }))
      }),
    use: (digest, now) =>
      transaction(async (run) => {
        await run(texts.use({ digest, now }))
      }),
    end: (digest) =>
      transaction(async (run) => {
        await run(texts.end({ digest }))
      }),
    beginSignIn: (digest, beganAt, { beganBefore, most }) =>
      transaction(async (run) => {
        await run(texts.insertSignIn({ digest, beganAt }))
        await run(texts.forgetSignIns({ beganBefore, most }))
      }),
    finishSignIn: (digest) =>
      transaction(async (run) => {
        const { rows } = await run(texts.finish({ digest }))
        return rows[0]?.began_at
      }),
  })
}

function sessionStatements(dialect: Dialect) {
  return {
    get: statement(
      dialect,
      ['digest'],
      (slot) => sql<SessionRow>`
        select digest, key, began_at, used_at from console_session where digest = ${slot('digest')}`,
    ),
    insert: statement(
      dialect,
      ['digest', 'key', 'beganAt', 'usedAt'],
      (slot) => sql<unknown>`
        insert into console_session (digest, key, began_at, used_at)
        values (${slot('digest')}, ${slot('key')}, ${slot('beganAt')}, ${slot('usedAt')})`,
    ),
    // The newest is the one that was just begun.
    forget: statement(
      dialect,
      ['usedBefore', 'beganBefore', 'most'],
      (slot) => sql<unknown>`
        delete from console_session
        where used_at < ${slot('usedBefore')} or began_at < ${slot('beganBefore')}
          or digest not in (select digest from console_session order by began_at desc, digest limit ${atMost(slot('most'))})`,
    ),
    use: statement(
      dialect,
      ['digest', 'now'],
      (slot) => sql<unknown>`
        update console_session set used_at = ${slot('now')}
        where digest = ${slot('digest')} and used_at < ${slot('now')}`,
    ),
    end: statement(
      dialect,
      ['digest'],
      (slot) => sql<unknown>`delete from console_session where digest = ${slot('digest')}`,
    ),
  }
}

function signInStatements(dialect: Dialect) {
  return {
    insertSignIn: statement(
      dialect,
      ['digest', 'beganAt'],
      (slot) => sql<unknown>`
        insert into console_sign_in (digest, began_at) values (${slot('digest')}, ${slot('beganAt')})`,
    ),
    forgetSignIns: statement(
      dialect,
      ['beganBefore', 'most'],
      (slot) => sql<unknown>`
        delete from console_sign_in
        where began_at < ${slot('beganBefore')}
          or digest not in (select digest from console_sign_in order by began_at desc, digest limit ${atMost(slot('most'))})`,
    ),
    finish: statement(
      dialect,
      ['digest'],
      (slot) => sql<{ began_at: number }>`
        delete from console_sign_in where digest = ${slot('digest')} returning began_at`,
    ),
  }
}
