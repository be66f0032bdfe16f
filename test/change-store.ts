import { DatabaseSync } from 'node:sqlite'
import { eventually } from './eventually.ts'

/**
 * By hand, past a bridge that runs in this process. It may be inside a transaction of its own, on this very thread: waiting
 * for the lock would keep it there, only giving way lets it end.
 */
export async function changeStore(file: string, statements: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    await eventually('the store is free', () => begins(database))
    database.exec(statements)
    database.exec('commit')
  } finally {
    database.close()
  }
}

function begins(database: DatabaseSync): boolean {
  try {
    database.exec('begin immediate')
    return true
  } catch {
    return false
  }
}
