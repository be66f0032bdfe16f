/**
 * A process of its own: `rekeyer.ts PLACE FROM TO BATCHES` takes the store from one key to another, row by row, and is killed
 * after so many steps, or, below 0, in the middle of the step with the so-manieth resource; with 0 it comes to its end. An empty key is none. A place is a file, or a PostgreSQL's as JSON.
 */
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { rekeyPostgres } from '../../src/store/rekey-postgres.ts'
import type { KeysOfDocument } from '../../src/store/rekey-rows.ts'
import { rekeySqlite } from '../../src/store/rekey-sqlite.ts'
import { createSealer, plainSealer } from '../../src/store/sealing.ts'
import { keysOf } from './rekey-world.ts'

const [, , place = '', from = '', to = '', batches = '0'] = process.argv
const sealerOf = (key: string) => (key === '' ? plainSealer : createSealer(key))
let left = Number(batches)
let inside = left < 0 ? left : 0
const options = {
  clock: systemClock,
  to: sealerOf(to),
  known: [plainSealer, sealerOf(from), sealerOf(to)],
  keysOf: ((type, json) => {
    inside += 1
    if (inside === 0) process.kill(process.pid, 'SIGKILL')
    return keysOf(type, json)
  }) satisfies KeysOfDocument,
  batch: 1,
  progress() {
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  },
}
const outcome = place.startsWith('{')
  ? await rekeyPostgres(postgresAt(place), { ...options, log: createLog('silent') })
  : await rekeySqlite({ file: place }, options)
process.stdout.write(JSON.stringify(outcome))

function postgresAt(text: string): PostgresLocation {
  const { password, ...location } = JSON.parse(text)
  return { ...location, tls: undefined, password: () => password }
}
