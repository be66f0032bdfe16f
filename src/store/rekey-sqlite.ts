import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { asStoreError, StoreRefused } from './failures.ts'
import { openFile } from './open.ts'
import { type Rekeyed, type RekeyOptions, rekey } from './rekey.ts'
import { type SqliteConnection, sqliteDialect } from './sqlite.ts'
import { runWith } from './statement.ts'
import { StoreUnavailable } from './store.ts'
import { createTransactionQueue } from './transactions.ts'

/** The lease keeps everybody else away. Throws as `rekey`. */
export async function rekeySqlite(
  location: { readonly file: string },
  options: RekeyOptions & { readonly lockWaitMs?: number },
): Promise<Rekeyed> {
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
    return await rekey(
      {
        place: file,
        dialect: sqliteDialect,
        transaction: (work) => transactions.run(work),
        read: runWith(to, async (query) => ({ rows: writer.select(query) })),
        assertUnused: () => Promise.resolve(),
        rewrite: async () => rewrite(writer),
      },
      options,
    )
  } finally {
    await transactions.run(async () => lease.release()).catch(() => undefined)
    await transactions.end()
    writer.close()
  }
}

/** Free pages and the log beside the file may still hold what was there before. */
function rewrite({ database }: SqliteConnection): void {
  try {
    // Else all of it would be held in memory.
    database.exec('pragma temp_store = file; vacuum')
    database.exec('pragma wal_checkpoint(truncate)')
  } catch (error) {
    throw asStoreError(error)
  }
}
