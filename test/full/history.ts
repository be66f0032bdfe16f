/** List 9.12: one history. Two connections, four people each, and a model of what must be true when everything is well again. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Response } from 'supertest'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import type { FaultMode } from '../../src/sandbox/simulator.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type InnerAccount, innerAccounts } from './accounts.ts'
import { changeByHand } from './change-by-hand.ts'
import { type GrantByHand, type GroupStep, HistoryGroups, isHistoryGrant, type KnownPeople } from './history-groups.ts'
import { assertInvariants, isSamePerson } from './invariants.ts'
import { viewStore } from './store-view.ts'
import { startWatch, type Watch } from './watch.ts'
import { type WatchedScim, watchedScim } from './watched-scim.ts'

export const historyConnections = ['figshare', 'dspace'] as const
export type HistoryConnection = (typeof historyConnections)[number]
export const people = 4

interface Who {
  readonly at: HistoryConnection
  readonly who: number
}
export type Step =
  | (Who & { readonly do: 'create'; readonly active: boolean | undefined })
  | (Who & { readonly do: 'put'; readonly familyName: string; readonly active: boolean | undefined })
  | (Who & { readonly do: 'patch'; readonly familyName: string })
  | (Who & { readonly do: 'switch'; readonly active: boolean })
  | (Who & { readonly do: 'delete' })
  | (Who & { readonly do: 'by hand'; readonly change: 'off' | 'on' | 'rename' })
  | {
      readonly do: 'fault'
      readonly at: HistoryConnection
      readonly mode: FaultMode
      readonly only: 'reads' | 'writes' | undefined
      readonly skip: number
    }
  | { readonly do: 'restart' }
  | GroupStep
  | GrantByHand
  | { readonly do: 'time'; readonly ms: number }

/** What the identity provider has been told, or was told to wait for. `undefined`: nobody can say. */
interface Person {
  readonly user: JsonObject
  wanted: { active: boolean | undefined; familyName: string } | undefined
  /** Somebody switched the account by hand, and nothing was said about it since. */
  isSwitchedByHand: boolean
  isRenamedByHand: boolean
}

export async function runHistory(steps: readonly Step[]): Promise<void> {
  const world = await startBridgeWorld((config) => {
    const connections = isJsonObject(config.connections) ? config.connections : {}
    config.connections = Object.fromEntries(historyConnections.map((name) => [name, connections[name] ?? {}]))
    const settings = isJsonObject(connections.figshare) ? connections.figshare.settings : undefined
    // Its lists do not lag here, and nobody moves the clock during a request.
    if (isJsonObject(settings)) settings.findDelayMs = 0
  })
  try {
    const history = new History(world)
    for (const step of steps) await history.take(step)
    await history.end()
  } finally {
    await world.stop()
  }
}

class History {
  readonly #world: BridgeWorld
  readonly #watch: Watch
  readonly #scim: ReadonlyMap<HistoryConnection, WatchedScim>
  readonly #people: ReadonlyMap<HistoryConnection, readonly Person[]>
  readonly #groups: ReadonlyMap<HistoryConnection, HistoryGroups>

  constructor(world: BridgeWorld) {
    this.#world = world
    this.#watch = startWatch(world, historyConnections, {
      isManagedGrant: (platform, grant) => isHistoryGrant(world.sandbox, platform, grant),
    })
    this.#scim = new Map(historyConnections.map((at) => [at, watchedScim(this.#watch, at, () => world.scim(at))]))
    this.#people = new Map(historyConnections.map((at) => [at, Array.from({ length: people }, newPerson)]))
    this.#groups = new Map(historyConnections.map((at) => [at, new HistoryGroups(this.#watch, at, this.#known(at))]))
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'fault':
        this.#world.sandbox[step.at].fault(faultOf(step))
        break
      case 'time':
        await this.#pass(step.ms)
        break
      case 'restart':
        await this.#world.restart()
        break
      case 'by hand':
        this.#byHand(step)
        break
      case 'grant by hand':
        this.#groups.get(step.at)?.changeByHand(step)
        break
      case 'push':
      case 'member':
      case 'rename group':
      case 'delete group':
        await this.#groups.get(step.at)?.take(step, this.#scimOf(step.at))
        break
      default:
        await this.#ask(step)
        if (this.#person(step).wanted === undefined) this.#groups.get(step.at)?.forget(step.who)
    }
    assertInvariants(this.#watch)
  }

  async #ask(step: Extract<Step, { do: 'create' | 'put' | 'patch' | 'switch' | 'delete' }>): Promise<void> {
    const person = this.#person(step)
    const scim = this.#scimOf(step.at)
    const { active: _active, ...user } = person.user
    if (step.do === 'create') {
      const body = step.active === undefined ? user : { ...user, active: step.active }
      const isNew = this.#visibleId(step.at, person) === undefined
      const isLeaving = this.#isBeingDeleted(step.at, person)
      const answer = await scim.post(body)
      // "Try again when that is done": nothing was kept.
      if (isLeaving && answer.status === 429) return
      // Whoever was never confirmed begins anew with each POST, and of one without `active` the account decides.
      if (isNew && person.wanted !== undefined && answer.status !== 409) person.wanted.active = undefined
      learn(person, answer, familyNameOf(user), step.active)
      return
    }
    const id = this.#visibleId(step.at, person)
    if (id === undefined || (step.do !== 'delete' && this.#isBeingDeleted(step.at, person))) return
    if (step.do === 'put') {
      const body = { ...user, name: { givenName: 'Ada', familyName: step.familyName } }
      const answer = await scim.put(id, step.active === undefined ? body : { ...body, active: step.active })
      learn(person, answer, step.familyName, step.active)
    } else if (step.do === 'patch') {
      const answer = await scim.patch(id, [{ op: 'replace', path: 'name.familyName', value: step.familyName }])
      learn(person, answer, step.familyName, undefined)
    } else if (step.do === 'switch') {
      const answer = await scim.patch(id, [{ op: 'replace', path: 'active', value: step.active }])
      learn(person, answer, person.wanted?.familyName ?? familyNameOf(user), step.active)
    } else {
      const answer = await scim.delete(id)
      if ([204, 429, 500].includes(answer.status)) person.wanted = undefined
    }
  }

  #byHand({ at, who, change }: Extract<Step, { do: 'by hand' }>): void {
    const person = this.#person({ at, who })
    const [account] = this.#accounts(at, person)
    if (account === undefined) return
    this.#watch.byHand(at, () => changeByHand(this.#world, at, account, change))
    if (change === 'rename') person.isRenamedByHand = true
    else person.isSwitchedByHand = true
  }

  /** Time passes in steps, as it does, and the bridge works meanwhile. */
  async #pass(ms: number): Promise<void> {
    for (let part = 0; part < 4; part += 1) {
      this.#world.clock.advance(ms / 4)
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
    for (const at of historyConnections) for (const person of this.#people.get(at) ?? []) this.#assertAsTold(at, person)
    for (const groups of this.#groups.values()) groups.assertAsTold()
  }

  #assertAsTold(at: HistoryConnection, person: Person): void {
    const { wanted, user } = person
    const shown = this.#resources(at).find(({ document }) => document.userName === user.userName)
    const accounts = this.#accounts(at, person)
    assert.ok(accounts.length <= 1, `${at}: ${accounts.length} accounts of ${user.userName}`)
    const [account] = accounts
    if (wanted === undefined) {
      assert.equal(shown, undefined, `${at}: ${user.userName} was deleted and is shown`)
      if (!person.isSwitchedByHand) assert.ok(account?.isOn !== true, `${at}: ${user.userName} was deleted and is on`)
      return
    }
    assert.ok(shown?.isVisible, `${at}: ${user.userName} was accepted and is not shown`)
    assert.ok(account !== undefined, `${at}: ${user.userName} was accepted and has no account`)
    const isOn = shown.document.active !== false
    if (wanted.active !== undefined) assert.equal(isOn, wanted.active, `${at}: active of ${user.userName} in SCIM`)
    assert.equal(familyNameOf(shown.document), wanted.familyName, `${at}: name of ${user.userName} in SCIM`)
    if (!person.isSwitchedByHand) assert.equal(account.isOn, isOn, `${at}: account of ${user.userName} is as SCIM says`)
    // An edit of an account that is off may end as drift, which is shown; it is made with the next reactivation.
    const isDrift = !isOn && this.#driftOf(at, shown.id).length > 0
    if (!person.isRenamedByHand && !isDrift) {
      assert.equal(account.familyName, wanted.familyName, `${at}: name of the account`)
    }
  }

  #known(at: HistoryConnection): KnownPeople {
    const person = (who: number) => this.#person({ at, who })
    return {
      count: people,
      idOf: (who) => (this.#isBeingDeleted(at, person(who)) ? undefined : this.#visibleId(at, person(who))),
      accountOf: (who) => this.#accounts(at, person(who))[0],
      isWanted: (who) => person(who).wanted !== undefined,
      isSwitchedByHand: (who) => person(who).isSwitchedByHand,
    }
  }
  #scimOf(at: HistoryConnection): WatchedScim {
    const scim = this.#scim.get(at)
    if (scim === undefined) throw new Error('no such connection')
    return scim
  }
  #person({ at, who }: Who): Person {
    const person = this.#people.get(at)?.[who]
    if (person === undefined) throw new Error('no such person')
    return person
  }
  #resources(at: HistoryConnection) {
    return viewStore(this.#world.directory, at, Number.MAX_SAFE_INTEGER).resources
  }
  #driftOf(at: HistoryConnection, id: string): readonly string[] {
    const { links } = viewStore(this.#world.directory, at, Number.MAX_SAFE_INTEGER)
    return links.find(({ resourceId }) => resourceId === id)?.drift ?? []
  }
  #accounts(at: HistoryConnection, { user }: Person): InnerAccount[] {
    return innerAccounts(this.#world.sandbox, at).filter((account) => isSamePerson(user, account))
  }
  #isBeingDeleted(at: HistoryConnection, { user }: Person): boolean {
    const { resources, operations } = viewStore(this.#world.directory, at, Number.MAX_SAFE_INTEGER)
    const id = resources.find(({ document }) => document.userName === user.userName)?.id
    return operations.some(({ resourceId, kind }) => resourceId === id && kind === 'delete')
  }
  #visibleId(at: HistoryConnection, { user }: Person): string | undefined {
    return this.#resources(at).find(({ document, isVisible }) => isVisible && document.userName === user.userName)?.id
  }
}

function newPerson(): Person {
  return { user: aUser(), wanted: undefined, isSwitchedByHand: false, isRenamedByHand: false }
}

function familyNameOf(document: JsonObject): string {
  return isJsonObject(document.name) ? String(document.name.familyName) : ''
}

/** 2xx, and "wait": it is so, or will be. Everything else changed nothing. */
function learn(person: Person, answer: Response, familyName: string, active: boolean | undefined): void {
  if (answer.status === 404) person.wanted = undefined
  if (![200, 201, 429, 500].includes(answer.status)) return
  const { wanted } = person
  // Of a new person who is not said to be on, the account that is found decides.
  const nowActive = active ?? wanted?.active
  if (active !== undefined && wanted?.active === !active) person.isSwitchedByHand = false
  if (familyName !== wanted?.familyName) person.isRenamedByHand = false
  person.wanted = { active: nowActive, familyName }
}

function faultOf({ mode, only, skip }: Extract<Step, { do: 'fault' }>) {
  return only === undefined ? { mode, skip } : { mode, only, skip }
}

/** An operator's press, after the platform has broken its contract too often. False: the bridge is writing just now. */
function retry(directory: string, connection: string, id: number): boolean {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'))
  try {
    database
      .prepare(
        "update operation set state = 'waiting', attempts = 0, due_at = 0 where connection = ? and id = ? and state = 'failed'",
      )
      .run(connection, id)
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}
