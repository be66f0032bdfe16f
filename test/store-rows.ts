import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

/** What stands in the store of a bridge, read past it. */
export function storeRows(
  directory: string,
  query: string,
  ...values: readonly SQLInputValue[]
): readonly Record<string, SQLOutputValue>[] {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'), { readOnly: true })
  try {
    return database.prepare(query).all(...values)
  } finally {
    database.close()
  }
}
