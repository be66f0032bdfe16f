/** CPU of one request, by the median of several rounds: each is compared with an echo of its own time. */
import type { Case } from './cases.ts'
import { sendMany, type Wanted } from './client.ts'
import type { Measured } from './measured.ts'

export interface Echo {
  readonly measured: Measured
  readonly url: string
}

export interface Round {
  readonly cpuMs: number
  readonly echoMs: number
}

const echoRequests = 5_000

/** Every case in every round, so that a busy minute of the machine falls on all of them. */
export async function measureRounds(
  measured: Measured,
  cases: readonly Case[],
  echo: Echo,
  rounds: number,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const results = new Map<string, Round[]>(cases.map(({ id }) => [id, []]))
  // The first requests pay for the compiler; they are not counted.
  for (const { warmUp, next } of cases) await sendMany(warmUp, next)
  for (let round = 0; round < rounds; round += 1) {
    const echoMs = await cpuPerRequest(echo.measured, echoRequests, () => ({ url: echo.url, token: '' }))
    for (const { id, requests, next } of cases) {
      results.get(id)?.push({ cpuMs: await cpuPerRequest(measured, requests, next), echoMs })
    }
  }
  return results
}

/** Of what each round has found: the ratio is that of one round, not of two medians. */
export function medians(rounds: readonly Round[]): { readonly cpuMs: number; readonly timesEcho: number } {
  return {
    cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    timesEcho: median(rounds.map(({ cpuMs, echoMs }) => cpuMs / echoMs)),
  }
}

export async function cpuPerRequest(measured: Measured, count: number, next: (n: number) => Wanted): Promise<number> {
  const before = await measured.cpuMs()
  await sendMany(count, next)
  return ((await measured.cpuMs()) - before) / count
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
