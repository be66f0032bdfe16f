/** A few of the random histories of the full tier (`npm run test:full`), repeated in the same way. */
import { test } from 'node:test'
import { runHistories } from '../full/history-steps.ts'
import { readReplay } from '../full/replay.ts'

const replay = readReplay(import.meta.filename)
test(`random histories break no invariant and end as the model says (seed ${replay.seed})`, { timeout: 180_000 }, () =>
  runHistories(replay, 8, 30),
)
