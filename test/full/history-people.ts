/** The people of one connection in a history: what is asked for them, what was told of them, and how they are in the end. */
import assert from 'node:assert/strict'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import type { BridgeWorld } from '../bridge-world.ts'
import { type InnerAccount, innerAccounts, isSamePerson } from './accounts.ts'
import { changeByHand, type HandChange } from './change-by-hand.ts'
import { type Shown, settled } from './expectation.ts'
import type { HistoryConnection } from './history.ts'
import type { KnownPeople } from './history-groups.ts'
import { type Answered, learnAll, newPerson, noteRemoved, type Person } from './history-person.ts'
import type { HistoryScim } from './history-scim.ts'
import { type SeenLink, type SeenResource, viewStore } from './store-view.ts'
import type { Watch } from './watch.ts'

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
    /**
     * The userName is that of person `as` from now on, or one's own. OpenSpecimen finds people by nothing else: who was renamed
     * half-way is somebody else there, so nobody is.
     */
    | { readonly do: 'rename'; readonly as: number }
    | { readonly do: 'delete' }
  )
type Change = Exclude<PersonStep, { do: 'create' | 'delete' }>
export type ByHand = Who & { readonly do: 'by hand'; readonly change: HandChange }

export class HistoryPeople {
  readonly #world: BridgeWorld
  readonly #watch: Watch
  readonly #at: HistoryConnection
  readonly #people: readonly Person[]

  constructor(world: BridgeWorld, watch: Watch, at: HistoryConnection) {
    this.#world = world
    this.#watch = watch
    this.#at = at
    this.#people = Array.from({ length: people }, () => newPerson(at))
  }

  /** Several steps are asked for at the same time. */
  async ask(steps: readonly PersonStep[], scim: HistoryScim): Promise<void> {
    for (const { who } of steps) this.#settle(this.#person(who))
    const answers = await Promise.all(steps.map((step) => this.#send(step, scim)))
    for (const person of new Set(steps.map(({ who }) => this.#person(who))))
      learnAll(
        person,
        answers.filter((one) => one !== undefined).filter((one) => one.person === person),
      )
  }

  async #send(step: PersonStep, scim: HistoryScim): Promise<Answered | undefined> {
    const person = this.#person(step.who)
    const id = this.#visibleId(person)
    const isLeaving = this.#isBeingDeleted(person)
    const { active: _active, ...own } = person.user
    // Whoever asks knows how the user is called now.
    const user: JsonObject = { ...own, ...userNameOf(this.#visible(person)?.document) }
    if (step.do === 'create') {
      const before = this.#anyId(person)
      const answer = await scim.post(withActive(user, step.active))
      // A deletion that ends meanwhile makes room for somebody new.
      const after = this.#anyId(person)
      const isKept = after !== undefined && after !== before
      // "Try again when that is done": nothing was kept.
      if (isLeaving && (answer === undefined || answer.status === 429) && !isKept) return undefined
      return {
        person,
        answer,
        asking: { kind: id === undefined || isKept ? 'create' : 'change', active: step.active, ...namesOf(user) },
      }
    }
    if (id === undefined || (step.do !== 'delete' && isLeaving)) return undefined
    if (step.do === 'delete') return { person, answer: await scim.delete(id), asking: { kind: 'delete' } }
    const changes = this.#changes(step)
    const answer = await (step.do === 'put'
      ? scim.put(id, { ...user, ...changes })
      : scim.patch(
          id,
          Object.entries(changes).map(([path, value]) => ({ op: 'replace', path, value })),
        ))
    const active = 'active' in step ? step.active : undefined
    const familyName = 'familyName' in step ? step.familyName : undefined
    // A PUT says the name, too.
    const userName = step.do === 'put' ? String(user.userName) : textOf(changes.userName)
    return { person, answer, asking: { kind: 'change', active, familyName, userName } }
  }

  #changes(step: Change): JsonObject {
    switch (step.do) {
      case 'put':
        return withActive({ name: { givenName: 'Ada', familyName: step.familyName } }, step.active)
      case 'patch':
        return { 'name.familyName': step.familyName }
      case 'switch':
        return { active: step.active }
      case 'rename':
        return userNameOf(this.#person(this.#at === 'openspecimen' ? step.who : step.as).user)
    }
  }

  byHand({ who, change }: ByHand): void {
    const person = this.#person(who)
    const [account] = this.#accounts(person)
    if (account === undefined || (change === 'remove' && this.#linkOf(person)?.unlinkedAccountId !== undefined)) return
    this.#watch.byHand(this.#at, () => changeByHand(this.#world.sandbox, this.#at, account, change))
    if (change === 'rename') person.isRenamedByHand = true
    else if (change === 'remove') noteRemoved(person)
    else person.isSwitchedByHand = true
  }

  known(): KnownPeople {
    return {
      count: people,
      idOf: (who) => this.#visibleId(this.#person(who)),
      accountOf: (who) => this.#accounts(this.#person(who))[0],
      isOn: (who) => this.#isShownOn(this.#person(who)),
      isSwitchedByHand: (who) => this.#person(who).isSwitchedByHand,
      letGo: (who) => this.#linkOf(this.#person(who))?.unlinkedAccountId,
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
    const resource = resources.findLast((one) => isOf(person, one))
    const isUnfinished = operations.some(({ resourceId, about }) => resourceId === resource?.id && about !== 'grants')
    if (isUnfinished) return
    const shown: Shown = resource?.isVisible
      ? { active: resource.document.active !== false, ...namesOf(resource.document) }
      : undefined
    person.expected = settled(person.expected, shown, `${this.#at}: ${person.user.userName}`)
    if (this.#accounts(person).length > 0) person.isRemovedByHand = false
    if (person.isRemovedByHand) noteRemoved(person)
  }

  #assertAccount(person: Person): void {
    // A name that is somebody else's account is an operator's to settle.
    if (this.#isFailed(person) || this.#linkOf(person)?.unlinkedAccountId !== undefined) return
    const { user, isSwitchedByHand, isRenamedByHand, isRemovedByHand } = person
    const [shown] = person.expected.may
    const accounts = this.#accounts(person)
    assert.ok(accounts.length <= 1, `${this.#at}: ${accounts.length} accounts of ${user.userName}`)
    const [account] = accounts
    if (shown === undefined) {
      if (!isSwitchedByHand) assert.ok(account?.isOn !== true, `${this.#at}: ${user.userName} is nobody and is on`)
      return
    }
    // What is soft-deleted there is off, and no account to us: see `accounts.ts`.
    const isHidden = this.#at === 'selfcommunity' && shown.active === false
    if (account === undefined && (isRemovedByHand || isHidden)) return
    assert.ok(account !== undefined, `${this.#at}: ${user.userName} was accepted and has no account`)
    if (!isSwitchedByHand)
      assert.equal(account.isOn, shown.active, `${this.#at}: account of ${user.userName} is as SCIM says`)
    // An edit of an account that is off may end as drift, which is shown; it is made with the next reactivation.
    const isDrift = (!account.isOn || isSwitchedByHand) && (this.#linkOf(person)?.drift ?? []).length > 0
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
  #linkOf(person: Person): SeenLink | undefined {
    const id = this.#visibleId(person)
    return this.#store().links.find(({ resourceId }) => resourceId === id)
  }
  /** By the address alone: userNames pass from one to another. */
  #accounts({ user: { emails = [] } }: Person): InnerAccount[] {
    return innerAccounts(this.#world.sandbox, this.#at).filter((account) => isSamePerson({ emails }, account))
  }
  #isBeingDeleted(person: Person): boolean {
    const { resources, operations } = this.#store()
    const ids = resources.filter((one) => isOf(person, one)).map(({ id }) => id)
    return operations.some(({ resourceId, kind }) => ids.includes(resourceId) && kind === 'delete')
  }
  #isFailed(person: Person): boolean {
    const id = this.#anyId(person)
    return this.#store().operations.some(({ resourceId, state }) => resourceId === id && state === 'failed')
  }
  /** Also of somebody whom nobody sees yet. */
  #anyId(person: Person): string | undefined {
    return this.#store().resources.findLast((one) => isOf(person, one))?.id
  }
  #visible(person: Person): SeenResource | undefined {
    return this.#store().resources.findLast((one) => one.isVisible && isOf(person, one))
  }
  #visibleId(person: Person): string | undefined {
    return this.#visible(person)?.id
  }
  #isShownOn(person: Person): boolean | undefined {
    const shown = this.#visible(person)
    return shown && shown.document.active !== false
  }
}

function withActive(body: JsonObject, active: boolean | undefined): JsonObject {
  return active === undefined ? body : { ...body, active }
}

function isOf({ user }: Person, { document }: SeenResource): boolean {
  return document.externalId === user.externalId
}

function namesOf({ name, userName }: JsonObject): { familyName: string; userName: string } {
  return { familyName: isJsonObject(name) ? String(name.familyName) : '', userName: String(userName) }
}

function userNameOf(document: JsonObject | undefined): JsonObject {
  return document?.userName === undefined ? {} : { userName: document.userName }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
