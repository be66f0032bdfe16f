/** Random runs that can be repeated one by one: what failed says how. */
import { relative } from 'node:path'
import fc from 'fast-check'

type Environment = Readonly<Record<string, string | undefined>>

export interface Replay {
  /** The test's own. */
  readonly file: string
  readonly seed: number
  /** Undefined: all runs of the seed. */
  readonly path: string | undefined
  /** A failure is shortened. */
  readonly isShrunk: boolean
}

/** `HISTORY_SEED`: runs that somebody has seen. `HISTORY_PATH`, beside it: the one that failed. `HISTORY_SHRINK=1`: the shortest like it. */
export function readReplay(file: string, environment: Environment = process.env): Replay {
  const { HISTORY_SEED: seed, HISTORY_PATH: path, HISTORY_SHRINK: shrink } = environment
  if (path !== undefined && seed === undefined)
    throw new Error('HISTORY_PATH alone names no run: give HISTORY_SEED, too')
  return {
    file,
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seed),
    path,
    isShrunk: shrink !== undefined,
  }
}

/** Rejects with the first run that fails, or the shortest like it, and with the command that repeats it alone. */
export async function assertRuns<Values extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Values>,
  { file, seed, path, isShrunk }: Replay,
  runs: number,
): Promise<void> {
  // Each attempt to shorten one costs a bridge. After the one of the path fast-check would go on with those that follow it.
  const one = path === undefined ? { numRuns: runs, endOnFailure: !isShrunk } : { numRuns: 1, path, endOnFailure: true }
  const details = await fc.check(property, { seed, includeErrorInReport: true, ...one })
  if (!details.failed) return
  const again = `HISTORY_SEED=${details.seed} HISTORY_PATH=${details.counterexamplePath}${isShrunk ? ' HISTORY_SHRINK=1' : ''}`
  const command = `${again} node --disable-proto=delete --test ${relative(process.cwd(), file)}`
  throw new Error(`${fc.defaultReportMessage(details)}\n\nThis one alone, again:\n  ${command}`, {
    cause: details.errorInstance,
  })
}
