/** A few of the random histories of the full tier (`npm run test:full`). `HISTORY_SEED=n` repeats a run. */
import { test } from 'node:test'
import { historySeed, runHistories } from '../full/history-steps.ts'

const seed = historySeed()
test(`random histories break no invariant and end as the model says (seed ${seed})`, { timeout: 180_000 }, () =>
  runHistories(seed, 8, 30),
)
