import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { type OpenedStore, openStore } from '../../src/store/open.ts'
import { newStoreFolder } from '../store-folder.ts'

type Context = { after(work: () => void | Promise<void>): void }

/** The name of a file that does not exist yet, in a folder that is removed after the test. */
export function aFile(t: Context): string {
  const folder = newStoreFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'bridge.sqlite')
}

/** A clock that stands still until it is set; sleeping is counted and over at once. */
export function aClock(ms = 1_000_000): Clock & { ms: number; slept: number; onSleep: () => void } {
  const clock = {
    ms,
    slept: 0,
    onSleep: () => {},
    now: () => clock.ms,
    async sleep() {
      clock.slept += 1
      clock.onSleep()
    },
  }
  return clock
}

export async function opened(
  t: Context,
  file: string,
  options: { clock?: Clock; lockWaitMs?: number; checkedAtStartBytes?: number; onTakenOver?: () => void } = {},
): Promise<OpenedStore> {
  const store = await openStore({ kind: 'sqlite', file }, { clock: aClock(), log: createLog('silent'), ...options })
  t.after(() => store.close())
  return store
}
