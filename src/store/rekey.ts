/**
 * Encrypts a store that was not, decrypts one that was, or takes it from one key to another: row by row, in place, while no
 * bridge runs. How far it has come is written with each batch, so it goes on after a crash at any point.
 */
import type { Clock } from '../clock.ts'
import { StoreRefused } from './failures.ts'
import { renewalMs } from './lease.ts'
import { createRowPass, type KeysOfDocument, type RowPlace, tablesInOrder } from './rekey-rows.ts'
import type { SealedTable } from './sealed-columns.ts'
import type { Sealer } from './sealing.ts'
import { fits, type SealingRow } from './sealing-state.ts'
import { createSealingWrites } from './sealing-writes.ts'
import type { Dialect, Run } from './statement.ts'

/** Rows of one transaction: some milliseconds, so that stopping loses next to nothing. */
const rowsPerBatch = 200

export interface RekeyOptions {
  readonly clock: Clock
  readonly to: Sealer
  /** Whatever the store may be sealed with now, the plain one among them. */
  readonly known: readonly Sealer[]
  readonly keysOf: KeysOfDocument
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

/** A store that is at hand for it, whatever it is made of. */
export interface RekeyedStore {
  /** For people. */
  readonly place: string
  readonly dialect: Dialect
  /** Atomic, and durable when it resolves. */
  transaction<Result>(work: (run: Run) => Promise<Result>): Promise<Result>
  /** Outside of transactions; opens with the new key. */
  readonly read: Run
  /** Throws `StoreInUse` while a bridge has the store. Once it resolves nobody writes with the key of before any more. */
  assertUnused(): Promise<void>
  /** So that nothing is left of what was there before. */
  rewrite(): Promise<void>
}

/** Throws `StoreRefused` (in use, no key fits, another change is unfinished) or `StoreUnsealable`, naming the row. */
export async function rekey(store: RekeyedStore, options: RekeyOptions): Promise<Rekeyed> {
  const { to, known, batch = rowsPerBatch, progress = () => undefined } = options
  const writes = createSealingWrites(store.dialect)
  await store.assertUnused()
  const { from, next } = chosen(store.place, await writes(store.read).sealing(), to, known)
  if (from.keyId === to.keyId && next === undefined) {
    return { from: from.keyId, to: to.keyId, rows: 0, verified: await verified(store, options) }
  }
  let held = next?.place ?? textOf({ table: tablesInOrder[0], after: undefined, done: 0 })
  if (next === undefined) {
    assertAlone(store, await store.transaction((run) => writes(run).begin(to, held)))
    // From now on no bridge starts; one that was just starting is met here.
    await store.assertUnused().catch(async (error: unknown) => {
      await store.transaction((run) => writes(run).giveUp())
      throw error
    })
  }
  /** One step, that is done once, and by this process only. */
  const stepping = <Result>(work: (run: Run) => Promise<Result>): Promise<Result> =>
    store.transaction(async (run) => {
      assertAlone(store, await writes(run).hold(held))
      return work(run)
    })
  await stepping((run) => writes(run).restartWalks())
  const pass = createRowPass(store.dialect, options.keysOf)
  let rows = 0
  for (let place = placeOf(held); place.table !== undefined; ) {
    const { table, after, done } = place
    const of = await pass.count(store.read, table)
    for (let last: RowPlace | undefined = after, passedBy = done; ; ) {
      const step = await stepping(async (run) => {
        const passed = await pass.reseal(run, table, { from, to }, last, batch)
        const isOver = passed.rows < batch
        const following = isOver
          ? { table: tableAfter(table), after: undefined, done: 0 }
          : { table, after: passed.last, done: passedBy + passed.rows }
        await writes(run).goOn(textOf(following))
        return { ...passed, isOver, following }
      })
      held = textOf(step.following)
      rows += step.rows
      passedBy += step.rows
      last = step.last ?? last
      progress({ step: 'rows', table, done: passedBy, of })
      if (step.isOver) break
    }
    place = placeOf(held)
  }
  const opened = await verified(store, options)
  progress({ step: 'verified', done: opened, of: opened })
  if (to.keyId !== undefined) await store.rewrite()
  progress({ step: 'rewritten' })
  await stepping((run) => writes(run).finish(to))
  return { from: from.keyId, to: to.keyId, rows, verified: opened }
}

function assertAlone({ place }: RekeyedStore, isAlone: boolean): void {
  if (!isAlone) throw new StoreRefused(`${place} is being encrypted anew by another process: let that one finish`)
}

/** What the store is sealed with now, and how far an unfinished change has come. */
function chosen(place: string, rows: readonly SealingRow[], to: Sealer, known: readonly Sealer[]) {
  const current = rows.find(({ name }) => name === 'current')
  const next = rows.find(({ name }) => name === 'next')
  const from = known.find((sealer) => (current === undefined ? sealer.keyId === undefined : fits(current, sealer)))
  if (from === undefined) {
    throw new StoreRefused(
      `${place} is encrypted with the key ${current?.key_id}: put that key into encryption.formerKeys of bridge.yaml`,
    )
  }
  if (next !== undefined && !fits(next, to)) {
    const wish = next.key_id === '' ? 'without encryption.key' : `with the key ${next.key_id} as encryption.key`
    throw new StoreRefused(`${place} is half-way to another key: finish that first, ${wish} in bridge.yaml`)
  }
  return { from, next }
}

async function verified(
  store: RekeyedStore,
  { clock, keysOf, batch = rowsPerBatch }: Pick<RekeyOptions, 'clock' | 'keysOf' | 'batch'>,
): Promise<number> {
  const pass = createRowPass(store.dialect, keysOf)
  let count = 0
  let aliveAt = clock.now()
  for (const table of tablesInOrder) {
    for (let last: RowPlace | undefined; ; ) {
      const passed = await pass.verify(store.read, table, last, batch)
      count += passed.rows
      last = passed.last
      if (passed.rows < batch) break
      await new Promise((resolve) => setImmediate(resolve))
      if (clock.now() - aliveAt < renewalMs) continue
      aliveAt = clock.now()
      // A sign of life, where writers give one.
      await store.transaction(async () => undefined)
    }
  }
  return count
}

interface Place {
  readonly table: SealedTable | undefined
  readonly after: RowPlace | undefined
  readonly done: number
}

function textOf(place: Place): string {
  return JSON.stringify(place)
}

/** Written by `textOf` alone. */
function placeOf(text: string): Place {
  return JSON.parse(text)
}

function tableAfter(table: SealedTable): SealedTable | undefined {
  return tablesInOrder[tablesInOrder.indexOf(table) + 1]
}
