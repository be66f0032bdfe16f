/** List 9.1 on Figshare, the faults that end by the attempt's deadline. The deadline is given, so that nobody waits for 25 seconds. */
import { after, before, describe, test } from 'node:test'
import { type Bench, startBench } from './fault-bench.ts'
import { matrixFaults, positions } from './faults.ts'
import { matrixOperations } from './operations.ts'

// Long enough for honest work on a busy machine: only the faults are to run into it.
const workMs = 5_000

describe('when Figshare', { concurrency: matrixOperations.length }, () => {
  for (const operation of matrixOperations) {
    describe(`during a ${operation.name}`, { concurrency: 1 }, () => {
      let bench: Bench
      before(async () => {
        bench = await startBench('figshare', { workMs })
      })
      after(() => bench.stop())
      for (const position of positions) {
        for (const fault of matrixFaults('').filter(({ isSlow }) => isSlow === true)) {
          test(`${fault.number} ${fault.name}, at ${position}`, () => bench.run(operation, fault, position))
        }
      }
    })
  }
})
