/** List 9.12: one history. Two connections, four people each, and a model of what must be true when everything is well again. */
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import type { FaultMode, FaultRequest } from '../../src/sandbox/simulator.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type GrantByHand, type GroupStep, HistoryGroups, isHistoryGrant } from './history-groups.ts'
import { type KillStep, killingScim } from './history-kills.ts'
import { type DeleteMode, type HistoryMappings, historyMappings } from './history-mapping.ts'
import { isRefused, type OperatorStep, operate, order, retry } from './history-operators.ts'
import { type ByHand, HistoryPeople, type PersonStep } from './history-people.ts'
import { type HistoryScim, historyScim } from './history-scim.ts'
import { assertInvariants } from './invariants.ts'
import { type SeenOperation, viewStore } from './store-view.ts'
import { startWatch, type Watch } from './watch.ts'
import { assertShape, type WatchedScim, watchedScim } from './watched-scim.ts'

export type HistoryConnection = DemoPlatform
/** The connections of one history. */
export type Pair = readonly [HistoryConnection, HistoryConnection]
export type Mode = 'confirmed' | 'deferred'

export interface FaultStep {
  readonly do: 'fault'
  readonly at: HistoryConnection
  /** `refused`, `unprocessable`: no write is ever taken, for reasons that lie in what is asked (400, 422). */
  readonly mode: FaultMode | 'refused' | 'unprocessable'
  readonly only: 'reads' | 'writes' | undefined
  readonly skip: number
}
/** Asked for at the same time. */
export interface AtOnceStep {
  readonly do: 'at once'
  readonly at: HistoryConnection
  readonly steps: readonly (PersonStep | GroupStep)[]
  /** How long the platform takes for each of its answers meanwhile; undefined: it is as it was. Real milliseconds. */
  readonly slowMs: number | undefined
}
export type Step =
  | PersonStep
  | ByHand
  | GroupStep
  | GrantByHand
  | OperatorStep
  | FaultStep
  | KillStep
  | AtOnceStep
  | { readonly do: 'restart' }
  | { readonly do: 'time'; readonly ms: number }

/** Who was refused once is tried again so often: what is to end well ends soon. */
const longestWaitSeconds = 600
/** An operator's command, or a walk over a handful of accounts, is done by then, unless the platform does not let it. */
const operatorMs = 8_000
/** Real: a bridge that is killed in the middle of a call is not waited for. */
const stopGraceMs = 100

export interface HistoryWorld {
  readonly mode: Mode
  readonly pair: Pair
  readonly deletion: DeleteMode
}

export async function runHistory(steps: readonly Step[], { mode, pair, deletion }: HistoryWorld): Promise<void> {
  const mappings = historyMappings(pair, deletion)
  try {
    const world = await startBridgeWorld((config) => configure(config, mode, pair, mappings), { graceMs: stopGraceMs })
    try {
      const history = new History(world, mode, pair)
      for (const step of steps) await history.take(step)
      await history.end()
    } finally {
      await world.stop()
    }
  } finally {
    mappings.remove()
  }
}

function configure(config: JsonObject, mode: Mode, pair: Pair, mappings: HistoryMappings): void {
  const connections = isJsonObject(config.connections) ? config.connections : {}
  config.connections = Object.fromEntries(
    pair.map((name) => {
      const connection = connections[name]
      return [name, { ...(isJsonObject(connection) ? connection : {}), mode, mapping: mappings.fileOf(name) }]
    }),
  )
  config.retry = { maximumSeconds: longestWaitSeconds }
  const settings = isJsonObject(connections.figshare) ? connections.figshare.settings : undefined
  // Its lists do not lag here, and nobody moves the clock during a request.
  if (isJsonObject(settings)) settings.findDelayMs = 0
}

interface Side {
  readonly scim: WatchedScim
  readonly people: HistoryPeople
  readonly groups: HistoryGroups
}

class History {
  readonly #world: BridgeWorld
  readonly #watch: Watch
  readonly #faults = new Map<HistoryConnection, FaultRequest>()
  readonly #sides: ReadonlyMap<HistoryConnection, Side>

  constructor(world: BridgeWorld, mode: Mode, pair: Pair) {
    this.#world = world
    const watch = startWatch(world, pair, {
      mode,
      isManagedGrant: (platform, grant) => isHistoryGrant(world.sandbox, platform, grant),
    })
    this.#watch = watch
    const sideOf = (at: HistoryConnection): Side => {
      const people = new HistoryPeople(world, watch, at)
      const groups = new HistoryGroups(watch, at, people.known())
      return { scim: watchedScim(watch, at, () => world.scim(at)), people, groups }
    }
    this.#sides = new Map(pair.map((at) => [at, sideOf(at)]))
  }

  #side(at: HistoryConnection): Side {
    const side = this.#sides.get(at)
    if (side === undefined) throw new Error(`${at} is no connection of this history`)
    return side
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'fault':
        this.#faults.set(step.at, faultOf(step))
        this.#world.sandbox[step.at].fault(faultOf(step))
        break
      case 'kill':
        await this.#ask(
          step.during,
          killingScim(this.#world, this.#watch, step, () => this.#fail()),
        )
        break
      case 'time':
        await this.#pass(step.ms, 4)
        break
      case 'restart':
        await this.#world.restart()
        break
      case 'by hand':
        this.#side(step.at).people.byHand(step)
        break
      case 'grant by hand':
        this.#side(step.at).groups.changeByHand(step)
        break
      case 'reconcile':
      case 'operate': {
        // What was written before this moment is not newer than what a walk reads.
        this.#world.clock.advance(1_000)
        await operate(this.#world, step, this.#side(step.at).people.known())
        await this.#pass(operatorMs, 8)
        if (step.do === 'operate') this.#side(step.at).groups.noteLetGo(step.who)
        break
      }
      case 'at once':
        await this.#askAtOnce(step)
        break
      default:
        await this.#ask(step, this.#side(step.at).scim)
    }
    assertInvariants(this.#watch)
  }

  #ask(step: PersonStep | GroupStep, scim: HistoryScim): Promise<void> {
    const { people, groups } = this.#side(step.at)
    return isAboutGroup(step) ? groups.take(step, scim) : people.ask([step], scim)
  }

  async #askAtOnce({ at, steps, slowMs }: AtOnceStep): Promise<void> {
    const { people, groups } = this.#side(at)
    const scim = historyScim(async (send) => {
      const answer = await send(this.#world.scim(at))
      assertShape(answer)
      return answer
    })
    if (slowMs !== undefined) this.#world.sandbox[at].fault({ mode: 'slow', delayMs: slowMs })
    await Promise.all([
      people.ask(
        steps.filter((step) => !isAboutGroup(step)),
        scim,
      ),
      ...steps.filter(isAboutGroup).map((step) => groups.take(step, scim, false)),
    ])
    this.#fail()
  }

  /** The platforms go wrong as was said last. */
  #fail(): void {
    for (const at of this.#sides.keys()) this.#world.sandbox[at].fault(this.#faults.get(at) ?? { mode: 'ok' })
  }

  /** Operators do what is theirs to do, once for each: what was under way when the platform got well may still end as failed. */
  async #finish(at: HistoryConnection, pressed: Set<string>): Promise<string[]> {
    const { operations, links } = viewStore(this.#world.directory, at, Number.MAX_SAFE_INTEGER)
    const letGo = new Map<string, string>()
    for (const { resourceId, state, unlinkedAccountId } of links)
      if (state === 'live' && unlinkedAccountId !== undefined) letGo.set(resourceId, unlinkedAccountId)
    // Where a name is somebody else's account nothing but another name helps; an account of another key is linked to nobody again.
    const isLost = (id: string) => pressed.has(`${at} let go ${id}`) && isRefused(this.#world.directory, at, id)
    const isSettled = ({ id, resourceId, about, state, errorKind }: SeenOperation) =>
      (letGo.has(resourceId) && isLost(resourceId)) ||
      (state === 'failed' && errorKind === 'conflict' && about !== 'grants' && pressed.has(`${at} ${id}`))
    const unfinished = operations.filter((one) => !isSettled(one))
    const isPressed = (key: string) => pressed.size === pressed.add(key).size
    for (const { id, state, resourceId } of operations) {
      if (state === 'held' && !isPressed(`${at} held ${id}`))
        await order(this.#world, at, 'release', resourceId, undefined)
      const key = `${at} ${id}`
      if (state === 'failed' && !pressed.has(key) && retry(this.#world.directory, at, id)) pressed.add(key)
    }
    for (const [resourceId, accountId] of letGo)
      if (!isPressed(`${at} let go ${resourceId}`)) await order(this.#world, at, 'adopt', resourceId, accountId)
    return [
      ...unfinished.map(({ kind, about, state, errorMessage }) => `${at}: ${kind} ${about} ${state} ${errorMessage}`),
      ...[...letGo.keys()].filter((id) => !isLost(id)).map((id) => `${at}: ${id} is let go`),
    ]
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
    for (const at of this.#sides.keys()) this.#world.sandbox[at].fault({ mode: 'ok' })
    const pressed = new Set<string>()
    let left: readonly string[] = []
    const isIdle = async () => {
      left = []
      for (const at of this.#sides.keys()) left = [...left, ...(await this.#finish(at, pressed))]
      return left.length === 0
    }
    await eventually('nothing is unfinished', isIdle, () => this.#world.clock.advance(10_000)).catch(
      (cause: unknown) => {
        throw new Error(`unfinished at the end: ${left.join('; ')}`, { cause })
      },
    )
    assertInvariants(this.#watch)
    for (const { people } of this.#sides.values()) people.assertAsTold()
    for (const { groups } of this.#sides.values()) groups.assertAsTold()
  }
}

function isAboutGroup(step: PersonStep | GroupStep): step is GroupStep {
  return 'group' in step
}

function faultOf({ mode, only, skip }: FaultStep): FaultRequest {
  if (mode === 'refused' || mode === 'unprocessable') {
    const status = mode === 'refused' ? 400 : 422
    return { mode: 'answer', only: 'writes', status, body: '{"message":"not allowed","code":"x"}', skip }
  }
  return only === undefined ? { mode, skip } : { mode, only, skip }
}
