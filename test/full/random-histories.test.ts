/** List 9.12 in full. `HISTORY_SEED=n` repeats a run, `HISTORY_SHRINK=1` looks for the shortest history that fails. */
import { describe, test } from 'node:test'
import { historySeed, runHistories } from './history-steps.ts'

const histories = 500
const steps = 40
const parts = 4

describe('random histories', { concurrency: parts }, () => {
  const seed = historySeed()
  for (let part = 0; part < parts; part += 1) {
    test(`${histories / parts} histories of ${steps} steps break no invariant and end as the model says (seed ${seed + part})`, () =>
      runHistories(seed + part, histories / parts, steps))
  }
})
