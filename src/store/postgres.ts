import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import pg from 'pg'
import { storeConnectMs, storeIdleTransactionMs, storeReconnectMaximumMs, storeReconnectMs } from '../limits.ts'
import type { Log } from '../log.ts'
import { asStoreError, StoreRefused } from './failures.ts'
import { PostgresQueryCompiler, type RawNode } from './kysely.ts'
import type { PostgresLocation } from './location.ts'
import { asPostgresFailure } from './postgres-failures.ts'
import { createDialect, listFunction, type Query, type Value } from './statement.ts'
import { StoreUnavailable } from './store.ts'

/** The statements of SQLite in PostgreSQL's words: only lists are said otherwise. */
class Compiler extends PostgresQueryCompiler {
  protected override visitRaw(node: RawNode): void {
    const [list] = node.parameters
    if (node.sqlFragments[0] !== listFunction || list === undefined) {
      super.visitRaw(node)
      return
    }
    this.append('json_array_elements_text(')
    this.visitNode(list)
    this.append('::json)')
  }
}

export const postgresDialect = createDialect(new Compiler())

const int8 = 20
/** Our counters and times are far below 2^53; everything else is text or a small number. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text'),
}

/** Whatever the role's own level is: a transaction sees what was committed while it waited for its lock. */
export const begin = 'begin isolation level read committed'

/** For texts without values. */
export const { escapeLiteral } = pg

export interface Statement {
  readonly text: string
  readonly values?: readonly Value[]
}

/** What is asked before the process does anything else goes out in one write, and is answered in the order asked. */
export interface PostgresSession {
  query<Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    /** We wait so long for the answer; default: a little longer than the server works on a statement. */
    answerMs?: number,
  ): Promise<{ rows: Row[] }>
  /** As one message: after one that fails, none is carried out. Answers the rows of each. */
  together<Row extends pg.QueryResultRow>(statements: readonly Statement[]): Promise<readonly Row[][]>
  /** `isBroken`: the connection is not used again. */
  release(isBroken: boolean): void
}

export interface PostgresPool {
  /** One connection until it is released. Throws `StoreUnavailable`. */
  session(): Promise<PostgresSession>
  /** One statement on any connection. Throws `StoreUnavailable`. */
  select<Row>(query: Query<Row>): Promise<{ rows: Row[] }>
  end(): Promise<void>
}

/**
 * A bounded number of connections, made when they are needed. While the server cannot be reached it is asked again with growing
 * pauses, and whoever asks meanwhile is told at once.
 */
export function createPostgresPool(location: PostgresLocation, log: Log): PostgresPool {
  const { host, port, user, database, password, tls, schema, connections, statementMs } = location
  const pool = new pg.Pool({
    host,
    port,
    user,
    database,
    types,
    max: connections,
    ...(password === undefined ? {} : { password }),
    ssl: tls === undefined ? false : { ca: pem(tls.ca), cert: pem(tls.certificate), key: pem(tls.key) },
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
    application_name: 'scim-bridge',
    connectionTimeoutMillis: storeConnectMs,
    statement_timeout: statementMs,
    // The sooner of the two is told: that a lock was not had says more than that it took too long.
    lock_timeout: Math.ceil(statementMs * 0.9),
    // A server that hangs does not keep its own limits: the driver gives up a little later.
    query_timeout: statementMs + 1_000,
    idle_in_transaction_session_timeout: storeIdleTransactionMs,
    keepAlive: true,
    pipeline: true,
  })
  // Of connections that nobody uses: they are made anew when somebody does.
  pool.on('error', (error) => log.warn({ err: error }, 'a connection to the store was lost'))
  let hasEnded = false
  let failures = 0
  let pausedUntil = 0

  async function session(): Promise<PostgresSession> {
    if (hasEnded) throw new StoreUnavailable('the store is unavailable: closed')
    if (pool.totalCount === 0 && performance.now() < pausedUntil) {
      throw new StoreUnavailable('the store is unavailable: PostgreSQL cannot be reached, it is asked again soon')
    }
    const client = await connected()
    // Without a listener an error between two statements would end the process; the next statement fails of itself.
    const ignore = () => {}
    client.on('error', ignore)
    const gather = gathering(client.connection.stream)
    return {
      query(text, values, answerMs) {
        gather()
        if (answerMs === undefined) return client.query(text, values === undefined ? undefined : [...values])
        // https://node-postgres.com/apis/client: the types do not know it yet.
        const config: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: answerMs }
        return client.query(values === undefined ? config : { ...config, values: [...values] })
      },
      together(statements) {
        gather()
        return asOne(client, statements)
      },
      release(isBroken) {
        client.off('error', ignore)
        client.release(isBroken)
      },
    }
  }

  async function connected(): Promise<pg.PoolClient> {
    try {
      const client = await pool.connect()
      failures = 0
      return client
    } catch (error) {
      if (pool.totalCount === 0) {
        pausedUntil = performance.now() + Math.min(storeReconnectMs * 2 ** failures, storeReconnectMaximumMs)
        failures = Math.min(failures + 1, 16)
      }
      if (error instanceof StoreRefused) throw error
      // Without a connection there is no store, whatever the reason: no file descriptors left, a name that nobody knows.
      const unavailable = () => new StoreUnavailable('the store is unavailable: no connection', { cause: error })
      throw asPostgresFailure(error) ?? unavailable()
    }
  }

  return {
    session,
    async select<Row>(query: Query<Row>) {
      const held = await session()
      let isBroken = true
      try {
        const { rows } = await held.query<Row & pg.QueryResultRow>(query.sql, valuesOf(query))
        isBroken = false
        return { rows }
      } catch (error) {
        const failure = asStoreError(error)
        isBroken = failure instanceof StoreUnavailable
        throw failure
      } finally {
        held.release(isBroken)
      }
    },
    async end() {
      hasEnded = true
      await pool.end()
    },
  }
}

/**
 * PostgreSQL drops what follows an error until it is told `sync`, which the driver does behind each query: here only behind the last.
 * The driver takes the answers for those of one text with several statements.
 */
function asOne<Row extends pg.QueryResultRow>(client: pg.PoolClient, statements: readonly Statement[]) {
  return new Promise<readonly Row[][]>((resolve, reject) => {
    const last = statements.at(-1)
    const config = { text: last?.text ?? '', values: [...(last?.values ?? [])], queryMode: 'extended' }
    const query = new pg.Query(config, (error, result: pg.QueryResult<Row> | pg.QueryResult<Row>[]) => {
      if (error) reject(error)
      else resolve([result].flat().map(({ rows }) => rows))
    })
    const { submit } = query
    query.submit = (connection) => {
      for (const { text, values = [] } of statements.slice(0, -1)) {
        connection.parse({ name: '', text, types: [] }, true)
        connection.bind({ values: values.map((value) => (value === null ? null : String(value))) }, true)
        connection.describe({ type: 'P', name: '' }, true)
        connection.execute({}, true)
      }
      return submit.call(query, connection)
    }
    client.query(query)
  })
}

/** Until everything that is ready to run has run, what is written waits: a system call costs more than a statement. */
function gathering(stream: Writable): () => void {
  let isGathering = false
  const send = () => {
    isGathering = false
    stream.uncork()
  }
  return () => {
    if (isGathering) return
    isGathering = true
    stream.cork()
    process.nextTick(send)
  }
}

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StoreRefused(`store.tls: ${file} cannot be read`, { cause })
  }
}

/** As PostgreSQL takes them: it has no NUL in texts, and no client may store one; whatever else has one gets U+FFFD. */
export function valuesOf(query: Query<unknown>): readonly Value[] {
  return query.parameters.map((value) => {
    if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
    if (value === null || typeof value === 'number') return value
    throw new TypeError(`a statement cannot take a value of type ${typeof value}`)
  })
}
