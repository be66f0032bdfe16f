/** A thread of its own: looks through a whole file and says what SQLite says of it. */
import { DatabaseSync } from 'node:sqlite'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

// Loaded to be compiled, it has no file.
if (!isMainThread) {
  const database = new DatabaseSync(String(workerData), { readOnly: true, timeout: 5_000 })
  const found = database.prepare('pragma quick_check(1)').get()?.quick_check
  database.close()
  parentPort?.postMessage(found)
}
