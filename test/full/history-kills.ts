/** The bridge of a history is killed at some moment of a request's work: at a call to the platform, which is done or never made. */
import type { Response } from 'supertest'
import type { BridgeWorld, ScimClient } from '../bridge-world.ts'
import type { HistoryConnection } from './history.ts'
import type { GroupStep } from './history-groups.ts'
import type { PersonStep } from './history-people.ts'
import { type Asking, type HistoryScim, historyScim } from './history-scim.ts'
import type { Watch } from './watch.ts'

export interface KillStep {
  readonly do: 'kill'
  readonly at: HistoryConnection
  /** What is asked for meanwhile. */
  readonly during: PersonStep | GroupStep
  /** So many calls of it are answered. */
  readonly calls: number
  /** Whether the platform carries out the call that comes then. */
  readonly isDone: boolean
}

/** Real milliseconds: whatever does not come to its call by then is killed where it is. */
const patienceMs = 400
const lookMs = 2

/** The first request kills the bridge. `heal`: what the platforms are like afterwards. */
export function killingScim(world: BridgeWorld, watch: Watch, step: KillStep, heal: () => void): HistoryScim {
  const kill = async (send: (scim: ScimClient) => PromiseLike<Response>): Asking => {
    const simulator = world.sandbox[step.at]
    simulator.fault({ mode: step.isDone ? 'hang-after' : 'hang', skip: step.calls })
    let answer: Response | undefined
    let isOver = false
    const asking = Promise.resolve(send(world.scim(step.at))).then(
      (answered) => {
        if (!isOver) answer = answered
      },
      () => undefined,
    )
    for (let waited = 0; waited < patienceMs && answer === undefined && simulator.faultCount === 0; waited += lookMs)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    isOver = true
    await killNow(world, watch, heal)
    await asking
    return answer
  }
  return historyScim(kill)
}

/** Nothing that the dying bridge still asks for is done, and no line of its audit will say so. */
async function killNow(world: BridgeWorld, { platforms, memoryOf }: Watch, heal: () => void): Promise<void> {
  const sent = new Set(platforms.flatMap((platform) => world.sandbox[platform].calls))
  for (const platform of platforms) world.sandbox[platform].fault({ mode: 'hang' })
  await world.kill()
  for (const platform of platforms) {
    const late = world.sandbox[platform].calls.filter((call) => !sent.has(call))
    for (const call of late) memoryOf(platform).seenCalls.add(call)
  }
  heal()
}
