/**
 * Encrypts a store that was not, decrypts one that was, or takes it from one key to another: row by row, in place, while no
 * bridge runs. How far it has come is written with each batch, so it goes on after a crash at any point.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '../clock.ts'
import { asStoreError, StoreRefused } from './failures.ts'
import { renewalMs } from './lease.ts'
import { openFile } from './open.ts'
import { createRowPass, type KeysOfDocument, type RowPlace, tablesInOrder } from './rekey-rows.ts'
import type { SealedTable } from './sealed-columns.ts'
import type { Sealer } from './sealing.ts'
import { fits, putSealing, readSealing, type SealingRow } from './sealing-state.ts'
import type { SqliteConnection } from './sqlite.ts'
import { runWith } from './statement.ts'
import { StoreUnavailable } from './store.ts'
import { createTransactionQueue, type TransactionQueue } from './transactions.ts'

/** Rows of one transaction: some milliseconds, so that stopping loses next to nothing. */
const rowsPerBatch = 200

export interface RekeyOptions {
  readonly clock: Clock
  readonly to: Sealer
  /** Whatever the store may be sealed with now, the plain one among them. */
  readonly known: readonly Sealer[]
  readonly keysOf: KeysOfDocument
  readonly lockWaitMs?: number
  readonly batch?: number
  readonly progress?: (step: RekeyStep) => void
}

export interface RekeyStep {
  readonly step: 'rows' | 'verified' | 'rewritten'
  readonly table?: SealedTable
  /** Rows of the table that are done, of so many. */
  readonly done?: number
  readonly of?: number
}

export interface Rekeyed {
  /** Key ids; undefined: not encrypted. */
  readonly from: string | undefined
  readonly to: string | undefined
  /** Rows that were written anew, this time; 0 when the store was as wanted. */
  readonly rows: number
  /** Rows that were opened with the new key afterwards. */
  readonly verified: number
}

/** Throws `StoreRefused` (in use, no key fits, another change is unfinished) or `StoreUnsealable`, naming the row. */
export async function rekeyStore(location: { readonly file: string }, options: RekeyOptions): Promise<Rekeyed> {
  const { clock, lockWaitMs = 5_000, to } = options
  const file = resolve(location.file)
  if (!existsSync(file)) throw new StoreRefused(`${file} does not exist: there is no store yet`)
  const { writer, reader, lease } = openFile(file, {
    lockWaitMs,
    now: clock.now(),
    isChecked: true,
    admit: () => undefined,
  })
  reader.close()
  const mayWrite = () => {
    if (!lease.isHeld()) throw new StoreUnavailable('the store is unavailable: another process has taken it over')
    // Each batch is a sign of life.
    lease.renew(clock.now())
  }
  const transactions = createTransactionQueue(writer, { clock, lockWaitMs, mayWrite, sealer: to })
  try {
    return await rekey(file, writer, transactions, options)
  } finally {
    await transactions.run(async () => lease.release()).catch(() => undefined)
    await transactions.end()
    writer.close()
  }
}

async function rekey(
  file: string,
  writer: SqliteConnection,
  transactions: TransactionQueue,
  options: RekeyOptions,
): Promise<Rekeyed> {
  const { to, known, batch = rowsPerBatch, progress = () => undefined } = options
  const { database } = writer
  const { from, next } = chosen(file, readSealing(database), to, known)
  if (from.keyId === to.keyId && next === undefined) {
    return { from: from.keyId, to: to.keyId, rows: 0, verified: await verified(writer, transactions, options) }
  }
  if (next === undefined) await transactions.run(async () => begin(writer, to))
  const pass = createRowPass(writer.dialect, options.keysOf)
  let rows = 0
  let place = placeOf(next)
  while (place.table !== undefined) {
    const { table, after } = place
    const of = await transactions.run((run) => pass.count(run, table))
    let done = place.done
    for (let last: RowPlace | undefined = after; ; ) {
      const step = await transactions.run(async (run) => {
        const passed = await pass.reseal(run, table, { from, to }, last, batch)
        const isOver = passed.rows < batch
        const following = isOver
          ? { table: tableAfter(table), done: 0 }
          : { table, after: passed.last, done: done + passed.rows }
        putSealing(database, { name: 'next', sealer: to, place: JSON.stringify(following) })
        return { ...passed, isOver }
      })
      rows += step.rows
      done += step.rows
      last = step.last ?? last
      progress({ step: 'rows', table, done, of })
      if (step.isOver) break
    }
    place = { table: tableAfter(table), after: undefined, done: 0 }
  }
  const opened = await verified(writer, transactions, options)
  progress({ step: 'verified', done: opened, of: opened })
  // Free pages and the log beside the file may still hold what was there before.
  if (to.keyId !== undefined) rewrite(writer)
  progress({ step: 'rewritten' })
  await transactions.run(async () => finish(writer, to))
  return { from: from.keyId, to: to.keyId, rows, verified: opened }
}

/** What the store is sealed with now, and how far an unfinished change has come. */
function chosen(file: string, rows: readonly SealingRow[], to: Sealer, known: readonly Sealer[]) {
  const current = rows.find(({ name }) => name === 'current')
  const next = rows.find(({ name }) => name === 'next')
  const from = known.find((sealer) => (current === undefined ? sealer.keyId === undefined : fits(current, sealer)))
  if (from === undefined) {
    throw new StoreRefused(
      `${file} is encrypted with the key ${current?.key_id}: put that key into encryption.formerKeys of bridge.yaml`,
    )
  }
  if (next !== undefined && !fits(next, to)) {
    const wish = next.key_id === '' ? 'without encryption.key' : `with the key ${next.key_id} as encryption.key`
    throw new StoreRefused(`${file} is half-way to another key: finish that first, ${wish} in bridge.yaml`)
  }
  return { from, next }
}

/** Unfinished walks begin anew: what they remember of users cannot be turned into the new key's terms. */
function begin({ database }: SqliteConnection, to: Sealer): void {
  database.exec('delete from match_key')
  const unfinished = "phase not in ('finished', 'failed')"
  database.exec(
    `delete from finding where exists (select 1 from walk where walk.connection = finding.connection
      and walk.number = finding.walk and ${unfinished})`,
  )
  database.exec(`update walk set phase = 'asked', place = null, accounts = 0, is_short = 0 where ${unfinished}`)
  putSealing(database, { name: 'next', sealer: to, place: JSON.stringify({ table: tablesInOrder[0], done: 0 }) })
}

function finish({ database }: SqliteConnection, to: Sealer): void {
  database.exec('delete from sealing')
  if (to.keyId !== undefined) putSealing(database, { name: 'current', sealer: to, place: null })
}

/** Without a log that is longer than the file, and without a page that was not written anew. */
function rewrite({ database }: SqliteConnection): void {
  try {
    // Else all of it would be held in memory.
    database.exec('pragma temp_store = file; vacuum')
    database.exec('pragma wal_checkpoint(truncate)')
  } catch (error) {
    throw asStoreError(error)
  }
}

async function verified(
  writer: SqliteConnection,
  transactions: TransactionQueue,
  { clock, to, keysOf, batch = rowsPerBatch }: RekeyOptions,
): Promise<number> {
  const pass = createRowPass(writer.dialect, keysOf)
  const run = runWith(to, async (query) => ({ rows: writer.select(query) }))
  let count = 0
  let aliveAt = clock.now()
  for (const table of tablesInOrder) {
    for (let last: RowPlace | undefined; ; ) {
      const passed = await pass.verify(run, table, last, batch)
      count += passed.rows
      last = passed.last
      if (passed.rows < batch) break
      await new Promise((resolve) => setImmediate(resolve))
      if (clock.now() - aliveAt < renewalMs) continue
      aliveAt = clock.now()
      await transactions.run(async () => undefined)
    }
  }
  return count
}

interface Place {
  readonly table: SealedTable | undefined
  readonly after: RowPlace | undefined
  readonly done: number
}

function placeOf(next: SealingRow | undefined): Place {
  if (next?.place === undefined || next.place === null) return { table: tablesInOrder[0], after: undefined, done: 0 }
  // Written by `rekey` alone, in the shape of `Place`.
  return JSON.parse(next.place)
}

function tableAfter(table: SealedTable): SealedTable | undefined {
  return tablesInOrder[tablesInOrder.indexOf(table) + 1]
}
