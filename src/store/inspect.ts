import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteCode } from './failures.ts'
import { leaseMs } from './lease.ts'
import type { SqliteLocation } from './location.ts'
import { newestMigration } from './migrate.ts'
import { passingFileSystem } from './prepare-file.ts'

/** A store as it lies there; nothing is opened for writing, and nothing is made. */
export interface InspectedStore {
  readonly file: string
  readonly isThere: boolean
  /** Whether this process may write the file, or make it. */
  readonly isWritable: boolean
  /** Whether it could be looked at; else `schema` and `isInUse` say nothing. */
  readonly isReadable: boolean
  /** Undefined: there is none, or it is no store of the bridge. */
  readonly schema: number | undefined
  readonly newestSchema: number
  /** Whether a process that has renewed its lease lately holds it. */
  readonly isInUse: boolean
  readonly freeBytes: number
  /** `tmpfs` and the like, which end with the container or the machine. */
  readonly passingFileSystem: string | undefined
}

/** SQLITE_ERROR, SQLITE_NOTADB. */
const foreignCodes: ReadonlySet<number> = new Set([1, 26])

export function inspectStore(location: SqliteLocation, now: number): InspectedStore {
  const file = resolve(location.file)
  const isThere = existsSync(file)
  const folder = existing(dirname(file))
  const { bavail, bsize } = statfsSync(folder)
  return {
    file,
    isThere,
    isWritable: mayWrite(isThere ? file : folder) && mayWrite(folder),
    ...(isThere ? readHead(file, now) : { isReadable: true, schema: undefined, isInUse: false }),
    newestSchema: newestMigration(),
    freeBytes: bavail * bsize,
    passingFileSystem: passingFileSystem(isThere ? file : folder),
  }
}

function readHead(file: string, now: number): Pick<InspectedStore, 'isReadable' | 'schema' | 'isInUse'> {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
    const row = database.prepare('select max(number) as number from migration').get()
    const lease = database.prepare("select renewed_at from lease where name = 'writer'").get()
    const isInUse = lease !== undefined && now - Number(lease.renewed_at) <= leaseMs
    return { isReadable: true, schema: row?.number === null ? undefined : Number(row?.number), isInUse }
  } catch (error) {
    const code = sqliteCode(error)
    if (code === undefined) throw error
    // Not a database, or one without our tables; anything else, such as rights or a lock, says nothing about what it is.
    return { isReadable: foreignCodes.has(code & 0xff), schema: undefined, isInUse: false }
  } finally {
    database?.close()
  }
}

/** The nearest folder above that is there: the bridge makes the rest. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
