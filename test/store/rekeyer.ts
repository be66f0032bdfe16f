/**
 * A process of its own: `rekeyer.ts FILE FROM TO BATCHES` takes the store from one key to another, row by row, and is killed
 * after so many steps; with 0 it comes to its end. An empty key is none.
 */
import { systemClock } from '../../src/clock.ts'
import { rekeyStore } from '../../src/store/rekey.ts'
import { createSealer, plainSealer } from '../../src/store/sealing.ts'
import { keysOf } from './rekey-world.ts'

const [, , file = '', from = '', to = '', batches = '0'] = process.argv
const sealerOf = (key: string) => (key === '' ? plainSealer : createSealer(key))
let left = Number(batches)
const outcome = await rekeyStore(
  { file },
  {
    clock: systemClock,
    to: sealerOf(to),
    known: [plainSealer, sealerOf(from), sealerOf(to)],
    keysOf,
    batch: 1,
    progress() {
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
    },
  },
)
process.stdout.write(JSON.stringify(outcome))
