/**
 * List 9.12 in full. `HISTORY_SEED=n` repeats the runs, with `HISTORY_PATH=p` only the one that failed, as its message says;
 * `HISTORY_SHRINK=1` looks for the shortest history that fails.
 */
import { describe, test } from 'node:test'
import { runHistories } from './history-steps.ts'
import { readReplay } from './replay.ts'

const histories = 500
const steps = 40

const replay = readReplay(import.meta.filename)
const parts = replay.path === undefined ? 4 : 1

describe('random histories', { concurrency: parts }, () => {
  for (let part = 0; part < parts; part += 1) {
    const seed = replay.seed + part
    const count = replay.path === undefined ? `${histories / parts} histories` : `history ${replay.path}`
    test(`${count} of ${steps} steps break no invariant and end as the model says (seed ${seed})`, () =>
      runHistories({ ...replay, seed }, histories / parts, steps))
  }
})
