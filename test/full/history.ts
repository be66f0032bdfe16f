/** List 9.12: one history. Two connections, four people each, and a model of what must be true when everything is well again. */
import { isJsonObject } from '../../src/json.ts'
import type { FaultMode, FaultRequest } from '../../src/sandbox/simulator.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type GrantByHand, type GroupStep, HistoryGroups, isHistoryGrant } from './history-groups.ts'
import { type OperatorStep, operate, retry } from './history-operators.ts'
import { type ByHand, HistoryPeople, type PersonStep } from './history-people.ts'
import { assertInvariants } from './invariants.ts'
import { viewStore } from './store-view.ts'
import { startWatch, type Watch } from './watch.ts'
import { type WatchedScim, watchedScim } from './watched-scim.ts'

export const historyConnections = ['figshare', 'dspace'] as const
export type HistoryConnection = (typeof historyConnections)[number]
export type Mode = 'confirmed' | 'deferred'

export interface FaultStep {
  readonly do: 'fault'
  readonly at: HistoryConnection
  /** `refused`, `unprocessable`: no write is ever taken, for reasons that lie in what is asked (400, 422). */
  readonly mode: FaultMode | 'refused' | 'unprocessable'
  readonly only: 'reads' | 'writes' | undefined
  readonly skip: number
}
export type Step =
  | PersonStep
  | ByHand
  | GroupStep
  | GrantByHand
  | OperatorStep
  | FaultStep
  | { readonly do: 'restart' }
  | { readonly do: 'time'; readonly ms: number }

/** Who was refused once is tried again so often: what is to end well ends soon. */
const longestWaitSeconds = 600
/** An operator's command, or a walk over a handful of accounts, is done by then, unless the platform does not let it. */
const operatorMs = 8_000

export async function runHistory(steps: readonly Step[], mode: Mode): Promise<void> {
  const world = await startBridgeWorld((config) => {
    const connections = isJsonObject(config.connections) ? config.connections : {}
    config.connections = Object.fromEntries(
      historyConnections.map((name) => {
        const connection = connections[name]
        return [name, { ...(isJsonObject(connection) ? connection : {}), mode }]
      }),
    )
    config.retry = { maximumSeconds: longestWaitSeconds }
    const settings = isJsonObject(connections.figshare) ? connections.figshare.settings : undefined
    // Its lists do not lag here, and nobody moves the clock during a request.
    if (isJsonObject(settings)) settings.findDelayMs = 0
  })
  try {
    const history = new History(world, mode)
    for (const step of steps) await history.take(step)
    await history.end()
  } finally {
    await world.stop()
  }
}

interface Side {
  readonly scim: WatchedScim
  readonly people: HistoryPeople
  readonly groups: HistoryGroups
}

class History {
  readonly #world: BridgeWorld
  readonly #watch: Watch
  readonly #sides: Readonly<Record<HistoryConnection, Side>>

  constructor(world: BridgeWorld, mode: Mode) {
    this.#world = world
    const watch = startWatch(world, historyConnections, {
      mode,
      isManagedGrant: (platform, grant) => isHistoryGrant(world.sandbox, platform, grant),
    })
    this.#watch = watch
    const sideOf = (at: HistoryConnection): Side => {
      const people = new HistoryPeople(world, watch, at)
      const groups = new HistoryGroups(watch, at, people.known())
      return { scim: watchedScim(watch, at, () => world.scim(at)), people, groups }
    }
    this.#sides = { figshare: sideOf('figshare'), dspace: sideOf('dspace') }
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'fault':
        this.#world.sandbox[step.at].fault(faultOf(step))
        break
      case 'time':
        await this.#pass(step.ms, 4)
        break
      case 'restart':
        await this.#world.restart()
        break
      case 'by hand':
        this.#sides[step.at].people.byHand(step)
        break
      case 'grant by hand':
        this.#sides[step.at].groups.changeByHand(step)
        break
      case 'reconcile':
      case 'operate': {
        // What was written before this moment is not newer than what a walk reads.
        this.#world.clock.advance(1_000)
        await operate(this.#world, step, this.#sides[step.at].people.known().idOf)
        await this.#pass(operatorMs, 8)
        break
      }
      case 'push':
      case 'member':
      case 'rename group':
      case 'delete group':
        await this.#sides[step.at].groups.take(step, this.#sides[step.at].scim)
        break
      default:
        await this.#sides[step.at].people.ask(step, this.#sides[step.at].scim)
    }
    assertInvariants(this.#watch)
  }

  /** Time passes in steps, as it does, and the bridge works meanwhile. */
  async #pass(ms: number, parts: number): Promise<void> {
    for (let part = 0; part < parts; part += 1) {
      this.#world.clock.advance(ms / parts)
      await new Promise((resolve) => setTimeout(resolve, 4))
      assertInvariants(this.#watch)
    }
  }

  async end(): Promise<void> {
    for (const at of historyConnections) this.#world.sandbox[at].fault({ mode: 'ok' })
    // One press for each operation: what was under way when the platform got well may still end as failed.
    const pressed = new Set<string>()
    const isIdle = () =>
      historyConnections.every((at) => {
        const { operations } = viewStore(this.#world.directory, at, Number.MAX_SAFE_INTEGER)
        for (const { id, state } of operations) {
          const key = `${at} ${id}`
          if (state === 'failed' && !pressed.has(key) && retry(this.#world.directory, at, id)) pressed.add(key)
        }
        return operations.length === 0
      })
    await eventually('nothing is unfinished', isIdle, () => this.#world.clock.advance(10_000))
    assertInvariants(this.#watch)
    for (const at of historyConnections) this.#sides[at].people.assertAsTold()
    for (const at of historyConnections) this.#sides[at].groups.assertAsTold()
  }
}

function faultOf({ mode, only, skip }: FaultStep): FaultRequest {
  if (mode === 'refused' || mode === 'unprocessable') {
    const status = mode === 'refused' ? 400 : 422
    return { mode: 'answer', only: 'writes', status, body: '{"message":"not allowed","code":"x"}', skip }
  }
  return only === undefined ? { mode, skip } : { mode, only, skip }
}
