/** List 9.1 on the other four platforms: one fault of each number that answers at once, for five operations of accounts and two of groups. */
import { after, before, describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { type Bench, startBench } from './fault-bench.ts'
import { matrixFaults, positions } from './faults.ts'
import { matrixOperations } from './operations.ts'
import { startTrap } from './trap.ts'

const trap = await startTrap()
after(() => trap.close())
const platforms = demoPlatforms.filter((platform) => platform !== 'figshare')
const names = ['create', 'patch', 'deactivate', 'patch while off', 'deactivate with a patch', 'grant', 'revoke']
const operationsOf = (platform: string) =>
  matrixOperations.filter(
    // SelfCommunity edits nobody who is off: nothing is called that a fault could strike.
    ({ name }) => names.includes(name) && !(platform === 'selfcommunity' && name === 'patch while off'),
  )
const sample = matrixFaults(trap.url).filter(
  ({ number, isSlow }, index, all) => isSlow !== true && (number === 10 || all[index - 1]?.number !== number),
)

for (const platform of platforms) {
  describe(`when ${platform}`, { concurrency: names.length }, () => {
    for (const operation of operationsOf(platform)) {
      describe(`during a ${operation.name}`, { concurrency: 1 }, () => {
        let bench: Bench
        before(async () => {
          bench = await startBench(platform)
        })
        after(async () => {
          await bench.stop()
          trap.assertUntouched()
        })
        for (const position of positions) {
          test(`1 cannot be reached any more, at ${position}`, () => bench.runRefused(operation, position))
          for (const fault of sample) {
            if ((position === 'write' ? fault.write : fault.read) === undefined) continue
            test(`${fault.number} ${fault.name}, at ${position}`, () => bench.run(operation, fault, position))
          }
        }
      })
    }
  })
}
