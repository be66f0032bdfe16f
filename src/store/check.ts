import { Worker } from 'node:worker_threads'
import type { Log } from '../log.ts'
import { sqliteCode } from './failures.ts'

export interface FileCheck {
  /** The file was found to be damaged: nothing more may be written to it. */
  isDamaged(): boolean
  end(): Promise<void>
}

/**
 * Looks for damage while the store is in use already: a file of a gigabyte takes many seconds, in which nobody could be
 * switched off. In a thread, so that no request waits for it.
 */
export function checkBeside(file: string, log: Log): FileCheck {
  let isDamaged = false
  const alarm = () => {
    isDamaged = true
    log.error({ file, alarm: true }, 'the store is damaged: keep a copy of its files, then restore the last backup')
  }
  const worker = new Worker(new URL('./check-worker.ts', import.meta.url), { workerData: file })
  // A process that has nothing else to do ends without it.
  worker.unref()
  worker.once('message', (found: unknown) => {
    if (found !== 'ok') alarm()
  })
  worker.once('error', (error) => {
    // SQLITE_CORRUPT, SQLITE_NOTADB. Anything else says nothing about the file.
    if ([11, 26].includes((sqliteCode(error) ?? 0) & 0xff)) alarm()
    else log.warn({ file, err: error }, 'the store could not be looked through for damage')
  })
  return {
    isDamaged: () => isDamaged,
    async end() {
      await worker.terminate()
    },
  }
}
