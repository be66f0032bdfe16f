import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AuditReads, createAuditReads } from './audit.ts'
import { createCounters } from './counters.ts'
import { asStoreError, StoreRefused, sqliteCode } from './failures.ts'
import { asRefusal } from './refusal.ts'
import { plainSealer } from './sealing.ts'
import { connectSqlite, sqliteDialect } from './sqlite.ts'
import { runWith } from './statement.ts'

const lockWaitMs = 5_000

/**
 * The audit alone, for reading: also while a bridge is using the store. Throws `StoreRefused` when there is no store, or one
 * that has not been brought up to date by `serve` yet.
 */
export function openAudit(location: { readonly file: string }): AuditReads & { close(): void } {
  const file = resolve(location.file)
  if (!existsSync(file)) throw new StoreRefused(`${file} does not exist: there is no store yet`)
  let connection: ReturnType<typeof connectSqlite> | undefined
  try {
    connection = connectSqlite(file, { readOnly: true, lockWaitMs })
    connection.database.prepare('select subject_hash from audit, audit_anchor, audit_erased limit 1').get()
  } catch (cause) {
    connection?.close()
    const code = sqliteCode(cause)
    if (code === 1) throw new StoreRefused(`${file} is of an older release: start the bridge once`, { cause })
    throw asRefusal(cause, file)
  }
  const { select, close } = connection
  // The audit holds no values of people: it can be read without a key.
  const read = runWith(plainSealer, async (query) => {
    try {
      return { rows: select(query) }
    } catch (error) {
      throw asStoreError(error)
    }
  })
  return { ...createAuditReads(sqliteDialect, createCounters(sqliteDialect))(read), close }
}
