import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openPostgres, type PostgresStore } from '../../src/store/open-postgres.ts'
import { plainSealer } from '../../src/store/sealing.ts'

/** The store there, until the test has ended. */
export async function openedPostgres(
  t: { after(work: () => Promise<void>): void },
  location: PostgresLocation,
  sealer = plainSealer,
): Promise<PostgresStore> {
  const store = await openPostgres(location, { clock: systemClock, log: createLog('silent'), sealer })
  t.after(() => store.close())
  return store
}
