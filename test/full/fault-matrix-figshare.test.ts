/** List 9.1 on Figshare: operations × faults × positions, each cell with its answer, its outcome and the state after healing. */
import { after, before, describe, test } from 'node:test'
import { type Bench, startBench } from './fault-bench.ts'
import { matrixFaults, positions } from './faults.ts'
import { matrixOperations } from './operations.ts'
import { startTrap } from './trap.ts'

const trap = await startTrap()
after(() => trap.close())

describe('when Figshare', { concurrency: matrixOperations.length }, () => {
  for (const operation of matrixOperations) {
    describe(`during a ${operation.name}`, { concurrency: 1 }, () => {
      let bench: Bench
      before(async () => {
        bench = await startBench('figshare')
      })
      after(async () => {
        await bench.stop()
        trap.assertUntouched()
      })
      for (const position of positions) {
        test(`1 cannot be reached any more, at ${position}`, () => bench.runRefused(operation, position))
        for (const fault of matrixFaults(trap.url).filter(({ isSlow }) => isSlow !== true)) {
          if ((position === 'write' ? fault.write : fault.read) === undefined) continue
          test(`${fault.number} ${fault.name}, at ${position}`, () => bench.run(operation, fault, position))
        }
      }
    })
  }
})
