/**
 * Tokens that callers were given, and the keys that access tokens are signed with. They have a small file of their own
 * beside the store: the store belongs to one process, while `scim-bridge token` works beside a bridge that runs.
 */
import { statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Role, roles } from '../access.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import { asStoreError, isTaken, StoreRefused, sqliteCode } from './failures.ts'
import { migrate } from './migrate.ts'
import { NewerSchema } from './newer-schema.ts'
import { prepareFile } from './prepare-file.ts'
import { NameTaken, StoreUnavailable } from './store.ts'

export const credentialMigrations = new URL('./credential-migrations/', import.meta.url)
/** Other programs hold the file for moments only; the wait blocks the process. */
const lockWaitMs = 1_000
/** The time of the last use is kept no more exactly than this. */
export const lastUseStepMs = 60_000

export interface StoredToken {
  readonly id: number
  readonly connection: string
  readonly name: string
  readonly role: Role
  /** Hexadecimal. */
  readonly sha256: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly lastUsedAt: number | undefined
  readonly revokedAt: number | undefined
}

export type NewToken = Pick<StoredToken, 'connection' | 'name' | 'role' | 'sha256' | 'createdAt' | 'expiresAt'>

export interface SigningKey {
  readonly connection: string
  readonly kid: string
  readonly algorithm: 'ES256' | 'RS256'
  readonly privateJwk: JsonObject
  readonly createdAt: number
}

/** Every method throws `StoreUnavailable` when the file cannot be used. */
export interface Credentials {
  /** SHA-256 → token, revoked and expired ones included; read anew when somebody has written. */
  tokens(): Promise<ReadonlyMap<string, StoredToken>>
  /** Throws `NameTaken`. */
  addToken(token: NewToken): Promise<void>
  /** False: there is no such token, or it is revoked already. */
  revokeToken(connection: string, name: string, now: number): Promise<boolean>
  noteUse(id: number, now: number): Promise<void>
  /** Newest first. */
  signingKeys(connection: string): Promise<readonly SigningKey[]>
  /** Keys of the connection that are older than `forgetBefore` go. */
  addSigningKey(key: SigningKey, forgetBefore: number): Promise<void>
  /** False: it was used before. Forgotten when it has expired. */
  useAssertion(sha256: string, expiresAt: number, now: number): Promise<boolean>
  close(): void | Promise<void>
}

/** `data/bridge.sqlite` → `data/bridge-credentials.sqlite`. */
export function credentialFile(storeFile: string): string {
  const extension = extname(storeFile)
  return join(dirname(storeFile), `${basename(storeFile, extension)}-credentials${extension}`)
}

/** Makes the file, for its owner only, when it is missing. Throws `StoreRefused` or `NewerSchema`. */
export function openCredentials(name: string, options: { log: Log; now: number }): Credentials {
  const file = resolve(name)
  const prepared = prepareFile(file, options.log)
  const database = openDatabase(file, options.now)
  const version = database.prepare('pragma data_version')
  const statements = prepare(database)
  let seen: unknown
  let tokens: ReadonlyMap<string, StoredToken> = new Map()
  let keys: readonly SigningKey[] = []

  /** What others have committed shows up as another version; what this process writes does not. */
  function refresh(): void {
    const present = statSync(file, { throwIfNoEntry: false })
    if (present?.ino !== prepared.ino || present.dev !== prepared.dev) {
      throw new StoreUnavailable('the credentials are unavailable: their file was removed or replaced')
    }
    const now = version.get()?.data_version
    if (now === seen) return
    tokens = new Map(statements.tokens.all().map((row) => [String(row.sha256), asToken(row)]))
    keys = statements.keys.all().map(asKey)
    seen = now
  }
  async function attempt<Result>(work: () => Result): Promise<Result> {
    try {
      refresh()
      return work()
    } catch (error) {
      if (!database.isOpen) throw new StoreUnavailable('the credentials are unavailable: closed', { cause: error })
      throw asStoreError(error)
    }
  }
  function write<Result>(work: () => Result): Promise<Result> {
    return attempt(() => {
      const result = work()
      seen = undefined
      return result
    })
  }

  return {
    tokens: () => attempt(() => tokens),
    addToken: ({ connection, name, role, sha256, createdAt, expiresAt = null }) =>
      write(() => {
        try {
          statements.addToken.run(connection, name, role, sha256, createdAt, expiresAt)
        } catch (error) {
          throw isTaken(error) ? new NameTaken(`${connection} has a token '${name}' already`) : error
        }
      }),
    revokeToken: (connection, name, now) =>
      write(() => Number(statements.revoke.run(now, connection, name).changes) > 0),
    noteUse: (id, now) => write(() => void statements.noteUse.run(now, id)),
    signingKeys: (connection) => attempt(() => keys.filter((key) => key.connection === connection)),
    addSigningKey: ({ kid, connection, algorithm, privateJwk, createdAt }, forgetBefore) =>
      write(() => {
        statements.forgetKeys.run(connection, forgetBefore)
        statements.addKey.run(kid, connection, algorithm, JSON.stringify(privateJwk), createdAt)
      }),
    useAssertion: (sha256, expiresAt, now) =>
      attempt(() => {
        statements.forgetAssertions.run(now)
        return Number(statements.useAssertion.run(sha256, expiresAt).changes) > 0
      }),
    close: () => database.close(),
  }
}

function prepare(database: DatabaseSync) {
  return {
    tokens: database.prepare('select * from token order by id'),
    addToken: database.prepare(
      'insert into token (connection, name, role, sha256, created_at, expires_at) values (?, ?, ?, ?, ?, ?)',
    ),
    revoke: database.prepare(
      'update token set revoked_at = ? where connection = ? and name = ? and revoked_at is null',
    ),
    noteUse: database.prepare('update token set last_used_at = ? where id = ?'),
    keys: database.prepare('select * from signing_key order by rowid desc'),
    addKey: database.prepare(
      'insert into signing_key (kid, connection, algorithm, private_jwk, created_at) values (?, ?, ?, ?, ?)',
    ),
    forgetKeys: database.prepare('delete from signing_key where connection = ? and created_at < ?'),
    useAssertion: database.prepare('insert or ignore into used_assertion (sha256, expires_at) values (?, ?)'),
    forgetAssertions: database.prepare('delete from used_assertion where expires_at < ?'),
  }
}

function openDatabase(file: string, now: number): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: lockWaitMs })
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma mmap_size = 0')
    database.exec('begin immediate')
    migrate(database, now, credentialMigrations)
    database.exec('commit')
    return database
  } catch (error) {
    database?.close()
    if (error instanceof NewerSchema || sqliteCode(error) === undefined) throw error
    throw new StoreRefused(
      `${file} cannot be opened (SQLite ${sqliteCode(error)}): restore a backup of it, or remove it and make new tokens`,
      { cause: error },
    )
  }
}

export type Row = Readonly<Record<string, unknown>>

export function asToken(row: Row): StoredToken {
  return {
    id: Number(row.id),
    connection: String(row.connection),
    name: String(row.name),
    // A role that this release does not know may do the least of all.
    role: roles.find((role) => role === row.role) ?? 'read',
    sha256: String(row.sha256),
    createdAt: Number(row.created_at),
    expiresAt: optional(row.expires_at),
    lastUsedAt: optional(row.last_used_at),
    revokedAt: optional(row.revoked_at),
  }
}

export function asKey(row: Row): SigningKey {
  return {
    connection: String(row.connection),
    kid: String(row.kid),
    algorithm: row.algorithm === 'RS256' ? 'RS256' : 'ES256',
    privateJwk: JSON.parse(String(row.private_jwk)),
    createdAt: Number(row.created_at),
  }
}

function optional(value: unknown): number | undefined {
  return value === null ? undefined : Number(value)
}
