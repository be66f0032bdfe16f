import type { Settled } from './commit.ts'

type Refused = Settled & { readonly kind: 'refused' | 'ungranted' }

/** What has come of some operations; those whose time was up are among `unfinished`. */
export interface ManySettled {
  readonly refused: readonly { readonly resourceId: string; readonly settled: Refused }[]
  readonly unfinished: number
  /** The earliest time at which one of the unfinished is tried again, where it is known. */
  readonly dueAt: number | undefined
  /** Why one of them waits. */
  readonly error: Error | undefined
}

interface Started {
  readonly id: number
  readonly resourceId: string
}

/** Runs `places` at a time: the platform's pace is not kept by asking it for everything at once. */
export async function runMany(
  operations: readonly Started[],
  places: number,
  signal: AbortSignal,
  run: (operation: Started) => Promise<Settled>,
): Promise<ManySettled> {
  const refused: { resourceId: string; settled: Refused }[] = []
  let applied = 0
  let dueAt: number | undefined
  let error: Error | undefined
  let next = 0
  const place = async () => {
    while (next < operations.length && !signal.aborted) {
      const operation = operations[next]
      next += 1
      if (operation === undefined) return
      const settled = await run(operation)
      if (settled.kind === 'applied') applied += 1
      else if (settled.kind === 'waiting') {
        error ??= settled.error
        dueAt = Math.min(dueAt ?? settled.dueAt, settled.dueAt)
      } else refused.push({ resourceId: operation.resourceId, settled })
    }
  }
  const work = Promise.all(Array.from({ length: Math.min(places, operations.length) }, place))
  try {
    await work
  } catch (cause) {
    // The request's time is up: everything is durable, and goes on without it.
    if (!signal.aborted) throw cause
  }
  return { refused, unfinished: operations.length - applied - refused.length, dueAt, error }
}
