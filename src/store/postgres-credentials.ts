import type { Log } from '../log.ts'
import {
  asKey,
  asToken,
  type Credentials,
  credentialMigrations,
  type Row,
  type SigningKey,
  type StoredToken,
} from './credentials.ts'
import { asStoreError, isTaken } from './failures.ts'
import type { PostgresLocation } from './location.ts'
import { prepared } from './open-postgres.ts'
import { begin, createPostgresPool, type PostgresSession } from './postgres.ts'
import { type MigrationList, migratePostgres } from './postgres-migrate.ts'
import { NameTaken, StoreUnavailable } from './store.ts'

const migrations: MigrationList = {
  table: 'credential_migration',
  folder: credentialMigrations,
  own: new URL('./postgres-credential-migrations/', import.meta.url),
}
/** One asks for the version with every request, the other one writes. */
const connections = 4

/** Tokens and keys in the store's own database. Throws `StoreRefused` or `NewerSchema`. */
export async function openPostgresCredentials(
  location: PostgresLocation,
  options: { readonly log: Log; readonly now: number },
): Promise<Credentials> {
  const pool = createPostgresPool({ ...location, connections }, options.log)
  await prepared(pool, location, (session) => migratePostgres(session, options.now, migrations))
  let seen: number | undefined
  let tokens: ReadonlyMap<string, StoredToken> = new Map()
  let keys: readonly SigningKey[] = []

  async function within<Result>(work: (session: PostgresSession) => Promise<Result>): Promise<Result> {
    const session = await pool.session()
    let isBroken = true
    try {
      const result = await work(session)
      isBroken = false
      return result
    } catch (error) {
      throw asStoreError(error)
    } finally {
      session.release(isBroken)
    }
  }
  /** What others have written shows up as another version: it is read before what it stands for. */
  async function refresh(): Promise<void> {
    await within(async (session) => {
      const { rows } = await session.query<{ version: number }>('select version from credential_version')
      const version = rows[0]?.version
      if (version === seen) return
      const found = await session.query<Row>('select * from token order by id')
      const keyRows = await session.query<Row>('select * from signing_key order by created_at desc, id desc')
      tokens = new Map(found.rows.map((row) => [String(row.sha256), asToken(row)]))
      keys = keyRows.rows.map(asKey)
      seen = version
    })
  }
  /** Together with the new version, or not at all. */
  function write(texts: readonly (readonly [string, readonly unknown[]])[]): Promise<number> {
    return within(async (session) => {
      await session.query(begin)
      let changed = 0
      // First: writers follow each other here.
      await session.query('update credential_version set version = version + 1')
      for (const [text, values] of texts) changed = (await session.query(text, values)).rows.length
      await session.query('commit')
      return changed
    })
  }

  return {
    async tokens() {
      await refresh()
      return tokens
    },
    async addToken({ connection, name, role, sha256, createdAt, expiresAt = null }) {
      const insert =
        'insert into token (connection, name, role, sha256, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)'
      try {
        await write([[insert, [connection, name, role, sha256, createdAt, expiresAt]]])
      } catch (error) {
        throw isTaken(error) ? new NameTaken(`${connection} has a token '${name}' already`) : error
      }
    },
    async revokeToken(connection, name, now) {
      const revoke =
        'update token set revoked_at = $1 where connection = $2 and name = $3 and revoked_at is null returning id'
      return (await write([[revoke, [now, connection, name]]])) > 0
    },
    async noteUse(id, now) {
      await write([['update token set last_used_at = $1 where id = $2', [now, id]]])
    },
    async signingKeys(connection) {
      await refresh()
      return keys.filter((key) => key.connection === connection)
    },
    async addSigningKey({ kid, connection, algorithm, privateJwk, createdAt }, forgetBefore) {
      const insert =
        'insert into signing_key (kid, connection, algorithm, private_jwk, created_at) values ($1, $2, $3, $4, $5)'
      await write([
        ['delete from signing_key where connection = $1 and created_at < $2', [connection, forgetBefore]],
        [insert, [kid, connection, algorithm, JSON.stringify(privateJwk), createdAt]],
      ])
    },
    useAssertion: (sha256, expiresAt, now) =>
      within(async (session) => {
        await session.query('delete from used_assertion where expires_at < $1', [now])
        const insert =
          'insert into used_assertion (sha256, expires_at) values ($1, $2) on conflict do nothing returning sha256'
        return (await session.query(insert, [sha256, expiresAt])).rows.length > 0
      }),
    async close() {
      await pool.end().catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error
      })
    },
  }
}
