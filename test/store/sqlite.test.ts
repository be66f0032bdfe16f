import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { type OpenedStore, openStore } from '../../src/store/open.ts'
import { createSealer, newKey, plainSealer } from '../../src/store/sealing.ts'
import { newStoreFolder } from '../store-folder.ts'
import { storeContract } from './contract.ts'
import { consoleContract } from './contract-console.ts'
import { erasureContract } from './contract-erasure.ts'

for (const [title, sealer] of [
  ['the SQLite store', plainSealer],
  ['the SQLite store, sealed', createSealer(newKey())],
] as const) {
  const open = async (t: { after(close: () => Promise<void>): void }): Promise<OpenedStore> => {
    const folder = newStoreFolder()
    const file = join(folder, 'bridge.sqlite')
    const store = await openStore({ kind: 'sqlite', file }, { clock: systemClock, log: createLog('silent'), sealer })
    t.after(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })
    return store
  }
  storeContract(title, open)
  erasureContract(`${title}, forgetting`, open)
  consoleContract(`${title}, for the operator's pages`, open)
}
