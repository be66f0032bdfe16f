/** The groups of one connection in a history: what the identity provider was told of them, and who holds what in the end. */
import assert from 'node:assert/strict'
import type { Response } from 'supertest'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import type { InnerAccount } from './accounts.ts'
import { oursByAccount } from './grant-invariants.ts'
import { changeGrantByHand, foreignGrant, grantsOfGroup, isListWritten, namedGrants } from './grant-view.ts'
import type { HistoryConnection } from './history.ts'
import type { HistoryScim } from './history-scim.ts'
import { type SeenGroup, viewStore } from './store-view.ts'
import type { Watch } from './watch.ts'

const names: Readonly<Record<HistoryConnection, readonly string[]>> = {
  figshare: ['figshare-reviewers', 'figshare-admins', 'everyone'],
  ethosce: ['cme-reviewers', 'cme-authors', 'everyone'],
  openspecimen: ['biobank-coordinators', 'biobank-technicians', 'everyone'],
  selfcommunity: ['Readers', 'Writers', 'Everyone'],
  dspace: ['Readers', 'Writers', 'Everyone'],
}
export const groups = 3

export type GroupStep =
  | { readonly do: 'push'; readonly at: HistoryConnection; readonly group: number; readonly members: readonly number[] }
  | {
      readonly do: 'member'
      readonly at: HistoryConnection
      readonly group: number
      readonly who: number
      readonly isAdded: boolean
    }
  | { readonly do: 'rename group'; readonly at: HistoryConnection; readonly group: number; readonly name: number }
  | { readonly do: 'delete group'; readonly at: HistoryConnection; readonly group: number }
export interface GrantByHand {
  readonly do: 'grant by hand'
  readonly at: HistoryConnection
  readonly who: number
  /** The group that gives it, or one more: a grant that no group gives. */
  readonly group: number
  readonly isGiven: boolean
}

interface Told {
  readonly name: string
  /** Person → the user that is a member. Who was deleted and has come again is another user, and a member of nothing. */
  readonly members: ReadonlyMap<number, string>
}

/** What the histories know of the people of the connection. */
export interface KnownPeople {
  readonly count: number
  /** Undefined: SCIM does not show the person. Who is just being deleted is shown still, where the answer waits for it. */
  idOf(who: number): string | undefined
  accountOf(who: number): InnerAccount | undefined
  /** Undefined: SCIM does not show the person. */
  isOn(who: number): boolean | undefined
  isSwitchedByHand(who: number): boolean
  /** The account that an operator has let go of. */
  letGo(who: number): string | undefined
}

export class HistoryGroups {
  readonly #watch: Watch
  readonly #at: HistoryConnection
  readonly #people: KnownPeople
  readonly #told = new Map<number, Told>()
  /** Account → grants that somebody gave or took by hand, and whether the last word was to give. */
  readonly #byHand = new Map<string, Map<string, boolean>>()
  /** Person → the user that an operator has let go of. What was given to somebody else's account is nobody's to take. */
  readonly #letGo = new Map<number, string>()
  #fresh = 0

  constructor(watch: Watch, at: HistoryConnection, people: KnownPeople) {
    this.#watch = watch
    this.#at = at
    this.#people = people
  }

  /** `isAlone`: nothing else is asked for at the same time. */
  async take(step: GroupStep, scim: HistoryScim, isAlone = true): Promise<void> {
    const told = this.#told.get(step.group)
    if (step.do === 'push') return this.#push(step, scim)
    const id = this.#group(told?.name)?.id
    if (told === undefined || id === undefined) return
    if (step.do === 'delete group') {
      const answer = await scim.deleteGroup(id)
      const isKept = answer === undefined ? this.#isBeingDeleted(id) : [204, 429].includes(answer.status)
      if (isKept) this.#told.delete(step.group)
      else this.#lookAgain(step.group, ({ id: seen }) => seen === id)
    } else if (step.do === 'rename group') {
      const name = this.#newName(step.name)
      const answer = await scim.patchGroup(id, [{ op: 'replace', path: 'displayName', value: name }])
      this.#learn(step.group, answer, { ...(this.#told.get(step.group) ?? told), name }, ({ id: seen }) => seen === id)
    } else {
      const member = this.#people.idOf(step.who)
      if (member === undefined) return
      const answer = await scim.patchGroup(id, memberChange(member, step.isAdded))
      const present = this.#told.get(step.group) ?? told
      const members = new Map(present.members)
      if (step.isAdded) members.set(step.who, member)
      else members.delete(step.who)
      this.#learn(step.group, answer, { ...present, members }, ({ id: seen }) => seen === id)
      if (isAlone && answer?.status === 204) this.#assertIsDone(step)
    }
  }

  async #push({ group, members }: Extract<GroupStep, { do: 'push' }>, scim: HistoryScim): Promise<void> {
    const name = this.#told.get(group)?.name ?? names[this.#at][group] ?? ''
    const known = [...new Set(members)].filter((who) => this.#people.idOf(who) !== undefined)
    const asked = new Map(known.map((who) => [who, this.#people.idOf(who) ?? '']))
    const value = [...asked.values()].map((id): JsonObject => ({ value: id }))
    const answer = await scim.postGroup({ schemas: [groupUrn], displayName: name, members: value })
    this.#learn(group, answer, { name, members: asked }, (seen) => seen.name === name)
  }

  /** Where groups are groups, a name that was used once may be that of a group which was let go. */
  #newName(number: number): string {
    this.#fresh += 1
    return namedGrants[this.#at] === undefined ? `Fresh ${this.#fresh}` : (names[this.#at][number] ?? '')
  }

  #learn(group: number, answer: Response | undefined, asked: Told, isIt: (seen: SeenGroup) => boolean): void {
    if (answer !== undefined && [200, 201, 204, 429].includes(answer.status)) this.#told.set(group, asked)
    else this.#lookAgain(group, isIt)
  }

  /** Of what was refused the watched client has seen that nothing changed; after a 500, or none, SCIM says what was kept. */
  #lookAgain(group: number, isIt: (seen: SeenGroup) => boolean): void {
    const seen = this.#store().groups.find(isIt)
    const isOthers = [...this.#told].some(([other, told]) => other !== group && told.name === seen?.name)
    if (seen === undefined || isOthers) {
      this.#told.delete(group)
      return
    }
    const ids = new Set(seen.members)
    const members = this.#everybody().flatMap((who): [number, string][] => {
      const id = this.#people.idOf(who)
      return id !== undefined && ids.has(id) ? [[who, id]] : []
    })
    this.#told.set(group, { name: seen.name, members: new Map(members) })
  }

  #isMember(who: number, { members }: Told): boolean {
    const id = this.#people.idOf(who)
    return id !== undefined && members.get(who) === id
  }

  /** Confirmed mode: whose change was answered with a success has what the group gives, or has it no more. */
  #assertIsDone({ who, group, isAdded }: Extract<GroupStep, { do: 'member' }>): void {
    const account = this.#people.accountOf(who)
    if (this.#watch.options.mode === 'deferred' || account === undefined) return
    // Deleted meanwhile, and a member of nothing: see `#assertGrants`.
    if (this.#people.idOf(who) === undefined || this.#isLetGo(who)) return
    const byHand = this.#byHand.get(account.id) ?? new Map<string, boolean>()
    const grantsOf = (told: Told) => grantsOfGroup(this.#watch.world.sandbox, this.#at, told.name)
    const others = [...this.#told].filter(([other, told]) => other !== group && this.#isMember(who, told))
    const byOthers = new Set(others.flatMap(([, told]) => grantsOf(told)))
    const told = this.#told.get(group)
    const what = `${this.#at}: a success about person ${who}`
    for (const grant of told === undefined ? [] : grantsOf(told)) {
      if (byHand.has(grant)) continue
      const isHeld = account.grants.includes(grant)
      if (!isAdded) assert.ok(!isHeld || byOthers.has(grant), `${what}, who left the group and holds ${grant}`)
      // Somebody who is off gets nothing new, and nobody looks when they are on by another hand.
      else if (account.isOn && this.#people.isOn(who) && !this.#people.isSwitchedByHand(who))
        assert.ok(isHeld, `${what}, who came and lacks ${grant}`)
    }
  }

  changeByHand({ who, group, isGiven }: GrantByHand): void {
    const account = this.#people.accountOf(who)
    const { sandbox } = this.#watch.world
    const name = names[this.#at][group]
    const grants =
      name === undefined ? [foreignGrant(sandbox, this.#at)] : grantsOfGroup(sandbox, this.#at, name).slice(0, 1)
    const [grant] = grants
    if (account === undefined || grant === undefined) return
    this.#watch.byHand(this.#at, () => changeGrantByHand(sandbox, this.#at, account.id, grant, isGiven))
    const byHand = this.#byHand.get(account.id) ?? new Map<string, boolean>()
    this.#byHand.set(account.id, byHand.set(grant, isGiven))
  }

  noteLetGo(who: number): void {
    const id = this.#people.idOf(who)
    if (id !== undefined && this.#people.letGo(who) !== undefined) this.#letGo.set(who, id)
  }

  /** What their account holds is no matter of ours any more, nor of whoever has their name since. */
  #isLetGo(who: number): boolean {
    const isForgotten = this.#letGo.has(who) && this.#letGo.get(who) !== this.#people.idOf(who)
    return isForgotten || this.#people.letGo(who) !== undefined
  }

  assertAsTold(): void {
    const { groups: shown } = this.#store()
    const seen = shown.map(({ name, members }) => [name, [...members].sort()]).sort()
    const told = [...this.#told.values()]
      .map((one) => [one.name, [...one.members].flatMap(([who, id]) => (this.#isMember(who, one) ? [id] : [])).sort()])
      .sort()
    assert.deepEqual(seen, told, `${this.#at}: groups and members in SCIM`)
    for (const who of this.#everybody()) this.#assertGrants(who)
  }

  #assertGrants(who: number): void {
    const account = this.#people.accountOf(who)
    if (account === undefined || this.#isLetGo(who)) return
    const { sandbox } = this.#watch.world
    const byHand = this.#byHand.get(account.id) ?? new Map<string, boolean>()
    const of = [...this.#told.values()].filter((told) => this.#isMember(who, told))
    const asked = new Set(of.flatMap(({ name }) => grantsOfGroup(sandbox, this.#at, name)))
    const held = account.grants.filter((grant) => !byHand.has(grant))
    const wanted = [...asked].filter((grant) => !byHand.has(grant)).sort()
    const what = `${this.#at}: grants of person ${who}`
    const foreign = foreignGrant(sandbox, this.#at)
    const [isHeld, isGiven] = [account.grants.includes(foreign), byHand.get(foreign) ?? false]
    // Where a list is written that was read before, the invariants know what may be lost.
    if (isHeld || !isListWritten(this.#at)) assert.equal(isHeld, isGiven, `${what} given by hand`)
    // Somebody who is off keeps what they have, and gets nothing new.
    if (account.isOn && this.#people.isOn(who) && !this.#people.isSwitchedByHand(who)) {
      assert.deepEqual(held, wanted, what)
      return
    }
    // What the platform would not take from somebody who was deleted is known, and taken when they come again, on: refused then,
    // too, or not on yet, it is shown.
    const store = this.#store()
    const ours = oursByAccount(sandbox, this.#at, store).get(account.id)
    const id = this.#people.idOf(who)
    const isShown =
      store.operations.some((one) => one.resourceId === id && one.state === 'failed') ||
      store.links.some((link) => link.resourceId === id && link.drift.includes('groups'))
    const mayBeLeft = id === undefined || isShown
    const isKnown = (grant: string) => mayBeLeft && ours?.has(grant) === true
    assert.deepEqual(
      held.filter((grant) => !asked.has(grant) && !isKnown(grant)),
      [],
      `${what} that nobody asks for`,
    )
  }

  #everybody(): number[] {
    return Array.from({ length: this.#people.count }, (_, who) => who)
  }
  #store() {
    return viewStore(this.#watch.world.directory, this.#at, Number.MAX_SAFE_INTEGER)
  }
  #isBeingDeleted(id: string): boolean {
    return this.#store().operations.some(({ resourceId, kind }) => resourceId === id && kind === 'delete')
  }
  #group(name: string | undefined): SeenGroup | undefined {
    return this.#store().groups.find((group) => group.name === name && group.isVisible)
  }
}

function memberChange(id: string, isAdded: boolean) {
  return isAdded
    ? [{ op: 'add', path: 'members', value: [{ value: id }] }]
    : [{ op: 'remove', path: `members[value eq "${id}"]` }]
}

/** The groups of the histories give these, and nothing else may ever be given or taken. */
export function isHistoryGrant(sandbox: Sandbox, platform: DemoPlatform, grant: string): boolean {
  const given = [...(namedGrants[platform]?.values() ?? [])].flat()
  return namedGrants[platform] === undefined ? grant !== foreignGrant(sandbox, platform) : given.includes(grant)
}
