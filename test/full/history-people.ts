/** The people of one connection in a history: what is asked for them, what was told of them, and how they are in the end. */
import assert from 'node:assert/strict'
import type { Response } from 'supertest'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld } from '../bridge-world.ts'
import { type InnerAccount, innerAccounts } from './accounts.ts'
import { changeByHand } from './change-by-hand.ts'
import {
  type Asking,
  afterRefusal,
  afterSuccess,
  afterWait,
  type Expectation,
  nobodyYet,
  type Shown,
  settled,
} from './expectation.ts'
import type { HistoryConnection } from './history.ts'
import type { KnownPeople } from './history-groups.ts'
import { isSamePerson } from './invariants.ts'
import { type SeenResource, viewStore } from './store-view.ts'
import type { Watch } from './watch.ts'
import type { WatchedScim } from './watched-scim.ts'

export const people = 4

export interface Who {
  readonly at: HistoryConnection
  readonly who: number
}
export type PersonStep = Who &
  (
    | { readonly do: 'create'; readonly active: boolean | undefined }
    | { readonly do: 'put'; readonly familyName: string; readonly active: boolean | undefined }
    | { readonly do: 'patch'; readonly familyName: string }
    | { readonly do: 'switch'; readonly active: boolean }
    | { readonly do: 'delete' }
  )
export type ByHand = Who & { readonly do: 'by hand'; readonly change: 'off' | 'on' | 'rename' }

interface Person {
  readonly user: JsonObject
  expected: Expectation
  /** Somebody switched the account by hand, and nothing was said about it since. */
  isSwitchedByHand: boolean
  /** The same before the departure that is unfinished now, which may be refused yet. */
  wasSwitchedByHand: boolean
  isRenamedByHand: boolean
}

export class HistoryPeople {
  readonly #world: BridgeWorld
  readonly #watch: Watch
  readonly #at: HistoryConnection
  readonly #people: readonly Person[]

  constructor(world: BridgeWorld, watch: Watch, at: HistoryConnection) {
    this.#world = world
    this.#watch = watch
    this.#at = at
    this.#people = Array.from({ length: people }, newPerson)
  }

  async ask(step: PersonStep, scim: WatchedScim): Promise<void> {
    const person = this.#person(step.who)
    this.#settle(person)
    const id = this.#visibleId(person)
    const isLeaving = this.#isBeingDeleted(person)
    const { active: _active, ...user } = person.user
    if (step.do === 'create') {
      const answer = await scim.post(withActive(user, step.active))
      // "Try again when that is done": nothing was kept.
      if (isLeaving && answer.status === 429) return
      const kind = id === undefined ? 'create' : 'change'
      learn(person, answer, { kind, active: step.active, familyName: familyNameOf(user) })
      return
    }
    if (id === undefined || (step.do !== 'delete' && isLeaving)) return
    if (step.do === 'put') {
      const body = { ...user, name: { givenName: 'Ada', familyName: step.familyName } }
      const answer = await scim.put(id, withActive(body, step.active))
      learn(person, answer, { kind: 'change', active: step.active, familyName: step.familyName })
    } else if (step.do === 'patch') {
      const answer = await scim.patch(id, [{ op: 'replace', path: 'name.familyName', value: step.familyName }])
      learn(person, answer, { kind: 'change', active: undefined, familyName: step.familyName })
    } else if (step.do === 'switch') {
      const answer = await scim.patch(id, [{ op: 'replace', path: 'active', value: step.active }])
      learn(person, answer, { kind: 'change', active: step.active, familyName: undefined })
    } else {
      learn(person, await scim.delete(id), { kind: 'delete' })
    }
  }

  byHand({ who, change }: ByHand): void {
    const person = this.#person(who)
    const [account] = this.#accounts(person)
    if (account === undefined) return
    this.#watch.byHand(this.#at, () => changeByHand(this.#world, this.#at, account, change))
    if (change === 'rename') person.isRenamedByHand = true
    else person.isSwitchedByHand = true
  }

  known(): KnownPeople {
    return {
      count: people,
      idOf: (who) => this.#visibleId(this.#person(who)),
      accountOf: (who) => this.#accounts(this.#person(who))[0],
      isOn: (who) => this.#isShownOn(this.#person(who)),
      isSwitchedByHand: (who) => this.#person(who).isSwitchedByHand,
    }
  }

  /** When nothing is unfinished. */
  assertAsTold(): void {
    for (const person of this.#people) {
      this.#settle(person)
      this.#assertAccount(person)
    }
  }

  /** What SCIM shows of somebody about whom nothing is unfinished was told, at any time. */
  #settle(person: Person): void {
    const { resources, operations } = this.#store()
    const resource = resources.find(({ document }) => document.userName === person.user.userName)
    const isUnfinished = operations.some(({ resourceId, about }) => resourceId === resource?.id && about !== 'grants')
    if (isUnfinished) return
    const shown: Shown = resource?.isVisible
      ? { active: resource.document.active !== false, familyName: familyNameOf(resource.document) }
      : undefined
    person.expected = settled(person.expected, shown, `${this.#at}: ${person.user.userName}`)
  }

  #assertAccount(person: Person): void {
    const { user, isSwitchedByHand, isRenamedByHand } = person
    const [shown] = person.expected.may
    const accounts = this.#accounts(person)
    assert.ok(accounts.length <= 1, `${this.#at}: ${accounts.length} accounts of ${user.userName}`)
    const [account] = accounts
    if (shown === undefined) {
      if (!isSwitchedByHand) assert.ok(account?.isOn !== true, `${this.#at}: ${user.userName} is nobody and is on`)
      return
    }
    assert.ok(account !== undefined, `${this.#at}: ${user.userName} was accepted and has no account`)
    if (!isSwitchedByHand)
      assert.equal(account.isOn, shown.active, `${this.#at}: account of ${user.userName} is as SCIM says`)
    // An edit of an account that is off may end as drift, which is shown; it is made with the next reactivation.
    const isDrift = !account.isOn && this.#driftOf(person).length > 0
    if (!isRenamedByHand && !isDrift)
      assert.equal(account.familyName, shown.familyName, `${this.#at}: name of the account`)
  }

  #person(who: number): Person {
    const person = this.#people[who]
    if (person === undefined) throw new Error('no such person')
    return person
  }
  #store() {
    return viewStore(this.#world.directory, this.#at, Number.MAX_SAFE_INTEGER)
  }
  #driftOf(person: Person): readonly string[] {
    const id = this.#visibleId(person)
    return this.#store().links.find(({ resourceId }) => resourceId === id)?.drift ?? []
  }
  #accounts({ user }: Person): InnerAccount[] {
    return innerAccounts(this.#world.sandbox, this.#at).filter((account) => isSamePerson(user, account))
  }
  #isBeingDeleted({ user }: Person): boolean {
    const { resources, operations } = this.#store()
    const id = resources.find(({ document }) => document.userName === user.userName)?.id
    return operations.some(({ resourceId, kind }) => resourceId === id && kind === 'delete')
  }
  #visible({ user }: Person): SeenResource | undefined {
    return this.#store().resources.find(({ document, isVisible }) => isVisible && document.userName === user.userName)
  }
  #visibleId(person: Person): string | undefined {
    return this.#visible(person)?.id
  }
  #isShownOn(person: Person): boolean | undefined {
    const shown = this.#visible(person)
    return shown && shown.document.active !== false
  }
}

function newPerson(): Person {
  return {
    user: aUser(),
    expected: nobodyYet,
    isSwitchedByHand: false,
    wasSwitchedByHand: false,
    isRenamedByHand: false,
  }
}

function withActive(body: JsonObject, active: boolean | undefined): JsonObject {
  return active === undefined ? body : { ...body, active }
}

function familyNameOf(document: JsonObject): string {
  return isJsonObject(document.name) ? String(document.name.familyName) : ''
}

/** 2xx, and "wait": it is so, or will be. Everything else changed nothing. */
function learn(person: Person, { status }: Response, asking: Asking): void {
  const { expected } = person
  if (status === 404) person.expected = nobodyYet
  else if (status === 429 || status === 500) {
    person.expected = afterWait(expected, asking)
    noteSwitch(person, expected, asking)
  } else if (status < 300) {
    person.expected = afterSuccess(expected, asking)
    noteSwitch(person, expected, asking)
    person.wasSwitchedByHand = false
    const isNewName = expected.may.every((one) => one?.familyName !== nameIn(asking))
    if (nameIn(asking) !== undefined && isNewName) person.isRenamedByHand = false
  } else {
    person.expected = afterRefusal(expected, asking)
    person.isSwitchedByHand ||= person.wasSwitchedByHand
  }
}

/** Where SCIM said the same already, nobody looks at the account. */
function noteSwitch(person: Person, { may }: Expectation, asking: Asking): void {
  if (asking.kind === 'delete' || asking.active === undefined) return
  if (!may.every((one) => one?.active === !asking.active)) return
  person.wasSwitchedByHand ||= person.isSwitchedByHand
  person.isSwitchedByHand = false
}

function nameIn(asking: Asking): string | undefined {
  return asking.kind === 'delete' ? undefined : asking.familyName
}
