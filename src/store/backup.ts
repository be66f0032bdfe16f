/** A copy of SQLite's files in a folder, made beside a bridge that runs, and put back. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { credentialFile } from './credentials.ts'
import { isBusy, StoreInUse, StoreRefused, sqliteCode } from './failures.ts'
import { refuseHeld } from './lease.ts'
import type { SqliteLocation } from './location.ts'
import { newestMigration } from './migrate.ts'
import { NewerSchema } from './newer-schema.ts'
import type { StoreOptions } from './open.ts'
import { asRefusal } from './refusal.ts'

const listName = 'backup.json'
const storeName = 'store.sqlite'
const credentialsName = 'credentials.sqlite'

const listFormat = z.strictObject({
  at: z.string(),
  schema: z.number().int(),
  files: z.array(z.strictObject({ name: z.enum([storeName, credentialsName]), bytes: z.number(), sha256: z.string() })),
})
export type BackupList = z.output<typeof listFormat>

/**
 * Each file as it is at one moment, checked after it was written. `folder` is made, or empty. Throws `StoreRefused`.
 */
export async function backupStore({ file }: SqliteLocation, folder: string, clock: Clock): Promise<BackupList> {
  if (!existsSync(file)) throw new StoreRefused(`${file} does not exist: there is nothing to back up`)
  makeFolder(folder)
  if (readdirSync(folder).length > 0)
    throw new StoreRefused(`${folder} is not empty: name a new folder for each backup`)
  try {
    return await fill(folder, resolve(file), clock)
  } catch (error) {
    // Half a backup is none, holds people all the same, and takes the room that is missing.
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true })
    throw isFull(error)
      ? new StoreRefused(`${folder} cannot be written: the disk is full; make room there, or name a folder elsewhere`, {
          cause: error,
        })
      : error
  }
}

async function fill(folder: string, file: string, clock: Clock): Promise<BackupList> {
  // First: a token that is made in between is missing from the backup, and not one that nobody knows of.
  const credentials = credentialFile(file)
  const files = existsSync(credentials) ? [await copied(credentials, join(folder, credentialsName))] : []
  files.push(await copied(file, join(folder, storeName)))
  const list = { at: new Date(clock.now()).toISOString(), schema: schemaOf(join(folder, storeName)), files }
  // Last: a folder without it is half a backup.
  writeFileSync(join(folder, listName), `${JSON.stringify(list, undefined, 2)}\n`, { mode: 0o600 })
  return list
}

/** SQLITE_FULL, or the system's own word. */
function isFull(error: unknown): boolean {
  return sqliteCode(error) === 13 || (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
}

type Surroundings = Pick<StoreOptions, 'clock' | 'log' | 'lockWaitMs'>

export interface Restored {
  readonly list: BackupList
  readonly setAside: readonly string[]
  /** People who were to be on by work that was unfinished when the backup was made: an account that is off stays off. */
  readonly keptOff: number
}

/**
 * Puts a backup in the place of the store; what was there is renamed, and its new name answered. Throws `StoreInUse`, `StoreRefused`
 * or `NewerSchema`, and then everything is as it was.
 */
export async function restoreStore(
  folder: string,
  location: SqliteLocation,
  surroundings: Surroundings,
): Promise<Restored> {
  const list = readList(folder)
  for (const { name, sha256 } of list.files) {
    if ((await digestOf(join(folder, name))) === sha256) continue
    throw new StoreRefused(`${join(folder, name)} is not what was backed up: take another backup`)
  }
  if (list.schema > newestMigration()) {
    throw new NewerSchema(`the backup is of a newer release (schema ${list.schema}): restore it with that release`)
  }
  const file = resolve(location.file)
  if (existsSync(file)) refuseWhenUsed(file, surroundings)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const places = list.files.map(({ name }) => ({
    from: join(folder, name),
    place: name === storeName ? file : credentialFile(file),
  }))
  // Before anything is moved: a disk without room for it is found while the store is where it was.
  copyBeside(places)
  const keptOff = keepOff(restoring(file))
  for (const { place } of places) flushToDisk(restoring(place))
  const setAside = putAside([file, credentialFile(file)], surroundings.clock)
  for (const { place } of places) renameSync(restoring(place), place)
  flushToDisk(dirname(file))
  return { list, setAside, keptOff }
}

/** Who was to be switched on then may have left since, and no identity provider says so twice. Answers how many they are. */
function keepOff(file: string): number {
  const database = new DatabaseSync(file)
  try {
    return Number(database.prepare('update operation set may_activate = 0 where may_activate = 1').run().changes)
  } finally {
    database.close()
  }
}

/** A power cut right after a renaming would leave an empty file otherwise. */
function flushToDisk(place: string): void {
  const handle = openSync(place, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function restoring(place: string): string {
  return `${place}.restoring`
}

function copyBeside(places: readonly { readonly from: string; readonly place: string }[]): void {
  try {
    for (const { from, place } of places) {
      copyFileSync(from, restoring(place))
      chmodSync(restoring(place), 0o600)
    }
  } catch (error) {
    for (const { place } of places) rmSync(restoring(place), { force: true })
    throw error
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error'
    throw new StoreRefused(`${folder} cannot be made (${code}): name a folder that this user may make and write`, {
      cause,
    })
  }
}

async function copyOpen(from: string, to: string): Promise<void> {
  let source: DatabaseSync | undefined
  try {
    source = new DatabaseSync(from, { readOnly: true })
    // One moment is held to from here on: SQLite begins the copy anew whenever somebody else has written in between, and beside a
    // busy bridge would never end.
    source.exec('begin')
    source.prepare('select count(*) from sqlite_schema').get()
    await backup(source, to)
  } catch (error) {
    // What is full is the disk of the copy, and not the store's.
    throw isFull(error) ? error : asRefusal(error, from)
  } finally {
    source?.close()
  }
}

async function copied(from: string, to: string): Promise<BackupList['files'][number]> {
  // SQLite would make it as the umask says, and copies for minutes.
  writeFileSync(to, '', { mode: 0o600, flag: 'wx' })
  await copyOpen(from, to)
  chmodSync(to, 0o600)
  const copy = new DatabaseSync(to)
  try {
    // One file, without a log beside it.
    copy.exec('pragma journal_mode = delete')
    if (copy.prepare('pragma quick_check(1)').get()?.quick_check !== 'ok') {
      throw new StoreRefused(`${from} is damaged: its copy cannot be used as a backup`)
    }
  } finally {
    copy.close()
  }
  const name = basename(to) === storeName ? storeName : credentialsName
  return { name, bytes: statSync(to).size, sha256: (await digestOf(to)) ?? '' }
}

function schemaOf(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return Number(database.prepare('select max(number) as number from migration').get()?.number ?? 0)
  } finally {
    database.close()
  }
}

function readList(folder: string): BackupList {
  try {
    return listFormat.parse(JSON.parse(readFileSync(join(folder, listName), 'utf8')))
  } catch (cause) {
    throw new StoreRefused(`${folder} holds no whole backup: ${listName} is missing, or not one`, { cause })
  }
}

/** Piece by piece: a store may be larger than memory. */
async function digestOf(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece)
  return hash.digest('hex')
}

/** A damaged one may be replaced: that is what backups are for. Nothing in it is changed: the release that wrote it may need it again. */
function refuseWhenUsed(file: string, { clock, lockWaitMs = 5_000 }: Surroundings): void {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: lockWaitMs })
    // As whoever starts takes the lease: another program's lock is told at once, and nobody takes it meanwhile.
    database.exec('begin immediate')
    refuseHeld(database, file, clock.now())
    database.exec('rollback')
  } catch (error) {
    if (error instanceof StoreInUse) throw error
    if (isBusy(error)) throw asRefusal(error, file)
  } finally {
    database?.close()
  }
}

function putAside(files: readonly string[], clock: Clock): readonly string[] {
  const suffix = `.before-${new Date(clock.now()).toISOString().replaceAll(':', '-')}`
  const setAside: string[] = []
  for (const file of files) {
    if (existsSync(file)) setAside.push(file + suffix)
    for (const end of ['', '-wal', '-shm']) if (existsSync(file + end)) renameSync(file + end, file + suffix + end)
  }
  return setAside
}
