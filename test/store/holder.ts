/**
 * A process of its own. `holder.ts FILE` opens the store and stays; `holder.ts FILE halfway` commits one user, begins to
 * store another one, and stays there. `holder.ts FILE migrating` makes every migration and stays before the commit.
 */
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open.ts'
import { aUser } from './builders.ts'

const [, , file = '', mode] = process.argv
const stay = () => new Promise((resolve) => setTimeout(resolve, 60_000))
try {
  if (mode === 'migrating') {
    const database = new DatabaseSync(file)
    database.exec('begin immediate')
    migrate(database, 0)
    process.stdout.write('inside\n')
    await stay()
  }
  const store = await openStore({ kind: 'sqlite', file }, { clock: systemClock, log: createLog('silent') })
  if (mode !== 'halfway') {
    process.stdout.write('open\n')
    await stay()
  }
  await store.transaction((write) => write.insertResource('okta', aUser('committed')))
  await store.transaction(async (write) => {
    await write.insertResource('okta', aUser('halfway'))
    process.stdout.write('inside\n')
    await stay()
  })
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.name : 'failed'}\n`)
}
