/** What a store on PostgreSQL remembers of its sealing: as `sealing-state.ts`, by the driver's own queries. */
import { StoreRefused } from './failures.ts'
import type { PostgresSession } from './postgres.ts'
import { sealedTables } from './sealed-columns.ts'
import type { Sealer } from './sealing.ts'
import { proofOf, type SealingRow, sealingProblem } from './sealing-state.ts'

/** Throws `StoreRefused` unless the store at `place` is sealed with just this key; a new one is sealed with it from now on. */
export async function admitPostgresSealer(session: PostgresSession, sealer: Sealer, place: string): Promise<void> {
  await assertPostgresSealer(session, sealer, place)
  if (sealer.keyId === undefined) return
  // Replicas that start at once all write the same key; the proof of the first one stays.
  await session.query(
    "insert into sealing (name, key_id, proof, place) values ('current', $1, $2, null) on conflict (name) do nothing",
    [sealer.keyId, proofOf('current', sealer)],
  )
}

/** Throws `StoreRefused` unless the store at `place` is sealed with just this key. */
export async function assertPostgresSealer(session: PostgresSession, sealer: Sealer, place: string): Promise<void> {
  const { rows } = await session.query<SealingRow & Record<string, unknown>>(
    'select name, key_id, proof, place from sealing',
  )
  const holdsValues = rows.length === 0 && (await hasValues(session))
  const problem = sealingProblem(rows, sealer, () => holdsValues)
  if (problem !== undefined) throw new StoreRefused(`${place} ${problem}`)
}

async function hasValues(session: PostgresSession): Promise<boolean> {
  for (const table of Object.keys(sealedTables)) {
    const { rows } = await session.query(`select 1 from ${table} limit 1`)
    if (rows.length > 0) return true
  }
  return false
}
