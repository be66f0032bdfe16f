/** What a store remembers of its sealing, while that is changed: inside transactions, in the words of either dialect. */
import { sql } from './kysely.ts'
import type { Sealer } from './sealing.ts'
import { proofOf, type SealingRow } from './sealing-state.ts'
import { type Dialect, type Run, statement } from './statement.ts'

export interface SealingWrites {
  sealing(): Promise<readonly SealingRow[]>
  /** False: somebody else has begun. */
  begin(to: Sealer, place: string): Promise<boolean>
  /** Nobody else passes here before this transaction ends. False: the change is not at this place any more. */
  hold(place: string): Promise<boolean>
  goOn(place: string): Promise<void>
  /** The store is as it was before `begin`. */
  giveUp(): Promise<void>
  finish(to: Sealer): Promise<void>
  /** Unfinished walks begin anew: what they remember of users cannot be turned into the new key's terms. */
  restartWalks(): Promise<void>
}

const isUnfinished = sql.raw("phase not in ('finished', 'failed')")

export function createSealingWrites(dialect: Dialect): (run: Run) => SealingWrites {
  const read = statement(dialect, [], () => sql<SealingRow>`select name, key_id, proof, place from sealing`)
  const insert = statement(
    dialect,
    ['name', 'keyId', 'proof', 'place'],
    (slot) => sql<{ name: string }>`
      insert into sealing (name, key_id, proof, place)
      values (${slot('name')}, ${slot('keyId')}, ${slot('proof')}, ${slot('place')})
      on conflict (name) do nothing returning name`,
  )
  const hold = statement(
    dialect,
    ['place'],
    (slot) => sql<{ name: string }>`
      update sealing set place = place where name = 'next' and place = ${slot('place')} returning name`,
  )
  const move = statement(
    dialect,
    ['place'],
    (slot) => sql<unknown>`update sealing set place = ${slot('place')} where name = 'next'`,
  )
  const forgetNext = statement(dialect, [], () => sql<unknown>`delete from sealing where name = 'next'`)
  const forgetAll = statement(dialect, [], () => sql<unknown>`delete from sealing`)
  const walks = [
    statement(dialect, [], () => sql<unknown>`delete from match_key`),
    statement(
      dialect,
      [],
      () => sql<unknown>`
        delete from finding where exists (select 1 from walk
          where walk.connection = finding.connection and walk.number = finding.walk and ${isUnfinished})`,
    ),
    statement(
      dialect,
      [],
      () => sql<unknown>`
        update walk set phase = 'asked', place = null, accounts = 0, is_short = 0 where ${isUnfinished}`,
    ),
  ]
  const put = (name: SealingRow['name'], sealer: Sealer, place: string | null) =>
    insert({ name, keyId: sealer.keyId ?? '', proof: proofOf(name, sealer), place })
  return (run) => ({
    sealing: async () => (await run(read({}))).rows,
    begin: async (to, place) => (await run(put('next', to, place))).rows.length > 0,
    hold: async (place) => (await run(hold({ place }))).rows.length > 0,
    async goOn(place) {
      await run(move({ place }))
    },
    async giveUp() {
      await run(forgetNext({}))
    },
    async finish(to) {
      await run(forgetAll({}))
      if (to.keyId !== undefined) await run(put('current', to, null))
    },
    async restartWalks() {
      for (const text of walks) await run(text({}))
    },
  })
}
