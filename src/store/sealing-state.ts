/** What a store remembers of its sealing: so that a wrong key is noticed before anything is read or written with it. */
import type { DatabaseSync } from 'node:sqlite'
import { StoreRefused } from './failures.ts'
import { sealedTables } from './sealed-columns.ts'
import type { Sealer } from './sealing.ts'
import { StoreUnsealable } from './store.ts'

const known = 'scim-bridge'
/** How the operator names what is wrong here. */
const rekeying = 'stop the bridge, then run `scim-bridge store rekey`'

export interface SealingRow {
  readonly name: 'current' | 'next'
  /** Empty in `next`: nothing will be sealed any more. */
  readonly key_id: string
  readonly proof: string
  readonly place: string | null
}

/** Inside the transaction that opens the store. Throws `StoreRefused` unless the store is sealed with just this key. */
export function admitSealer(database: DatabaseSync, sealer: Sealer, file: string): void {
  const rows = readSealing(database)
  const problem = sealingProblem(rows, sealer, () => hasValues(database))
  if (problem !== undefined) throw new StoreRefused(`${file} ${problem}`)
  if (rows.length === 0 && sealer.keyId !== undefined) putSealing(database, { name: 'current', sealer, place: null })
}

/** For who only looks: a store that is new is nothing to look at. */
export function assertSealer(database: DatabaseSync, sealer: Sealer, file: string): void {
  const problem = sealingProblem(readSealing(database), sealer, () => true)
  if (problem !== undefined) throw new StoreRefused(`${file} ${problem}`)
}

export function readSealing(database: DatabaseSync): readonly SealingRow[] {
  const rows = database.prepare('select name, key_id, proof, place from sealing').all()
  return rows.map(({ name, key_id, proof, place }) => ({
    name: name === 'next' ? 'next' : 'current',
    key_id: String(key_id),
    proof: String(proof),
    place: place === null ? null : String(place),
  }))
}

export function putSealing(
  database: DatabaseSync,
  { name, sealer, place }: { name: SealingRow['name']; sealer: Sealer; place: string | null },
): void {
  database
    .prepare(
      'insert into sealing (name, key_id, proof, place) values (?, ?, ?, ?) on conflict (name) do update set ' +
        'key_id = excluded.key_id, proof = excluded.proof, place = excluded.place',
    )
    .run(name, sealer.keyId ?? '', proofOf(name, sealer), place)
}

/** A known text as this key seals it. */
export function proofOf(name: SealingRow['name'], sealer: Sealer): string {
  return sealer.keyId === undefined ? '' : sealer.seal('sealing.proof', ['', name], known)
}

/** Whether the key is the row's: its id is, and it opens the proof. */
export function fits({ name, key_id, proof }: SealingRow, sealer: Sealer): boolean {
  if (key_id !== (sealer.keyId ?? '')) return false
  if (sealer.keyId === undefined) return true
  try {
    return sealer.open('sealing.proof', ['', name], proof) === known
  } catch (error) {
    if (error instanceof StoreUnsealable) return false
    throw error
  }
}

/** Why a store with these rows must not be opened with this key, after its place; undefined: it may. */
export function sealingProblem(
  rows: readonly SealingRow[],
  sealer: Sealer,
  holdsValues: () => boolean,
): string | undefined {
  const current = rows.find(({ name }) => name === 'current')
  if (rows.some(({ name }) => name === 'next')) return `is being encrypted anew, and that was interrupted: ${rekeying}`
  if (current === undefined) {
    if (sealer.keyId === undefined || !holdsValues()) return undefined
    return `is not encrypted, and encryption.key names a key: ${rekeying}, which encrypts it in place`
  }
  if (sealer.keyId === undefined) {
    return (
      `is encrypted with the key ${current.key_id}: name it as encryption.key in bridge.yaml ` +
      '(to decrypt the store, name it in encryption.formerKeys and run `scim-bridge store rekey`)'
    )
  }
  if (fits(current, sealer)) return undefined
  return (
    `is encrypted with the key ${current.key_id}, and encryption.key is ${sealer.keyId}: name the right key; or, to go ` +
    `over to this one, put the store's key into encryption.formerKeys, ${rekeying}`
  )
}

function hasValues(database: DatabaseSync): boolean {
  return Object.keys(sealedTables).some(
    (table) => database.prepare(`select 1 from ${table} limit 1`).get() !== undefined,
  )
}
