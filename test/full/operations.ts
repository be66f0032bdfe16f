/** What can be asked of one person or of a group about them, and what must be true of the account in the end. */
import type { Response } from 'supertest'
import type { JsonObject } from '../../src/json.ts'
import type { InnerAccount } from './accounts.ts'
import type { WatchedScim } from './watched-scim.ts'

/** What was there when the operation began. */
export interface OperationStart {
  readonly account: InnerAccount | undefined
  /** What the group gives, in the words of `accounts.ts`. */
  readonly gives: readonly string[]
}

export interface MatrixOperation {
  readonly name: string
  /** What the person has gone through before; undefined: nothing, they are new. */
  readonly before: 'on' | 'off' | undefined
  /** About a group that gives something. */
  readonly isAboutGroup?: true
  /** What else they have gone through: of the person's id and the group's. */
  arrange?(scim: WatchedScim, id: string, group: string): Promise<Response>
  ask(scim: WatchedScim, user: JsonObject, id: string, group: string): Promise<Response>
  /** The status of the answer when nothing goes wrong. */
  readonly success: number
  /** Undefined: no account. */
  isDone(account: InnerAccount | undefined, start: OperationStart): boolean
  /** The same when the platform has refused values: whoever is off stays off, and what was refused is drift. Absent: nothing changes. */
  isDoneWithDrift?(account: InnerAccount | undefined): boolean
  /** Whether SCIM shows the user in the end. */
  readonly isShown: boolean
}

const switched = (value: boolean) => [{ op: 'replace', path: 'active', value }]
const isOn = (account: InnerAccount | undefined) => account?.isOn === true
const isOff = (account: InnerAccount | undefined) => account?.isOn === false
const renamed = { op: 'replace', path: 'name.familyName', value: 'King' }
const adding = (id: string) => [{ op: 'add', path: 'members', value: [{ value: id }] }]
const removing = (id: string) => [{ op: 'remove', path: `members[value eq "${id}"]` }]

/** These are the grants, and nothing else of the account has changed. */
function holdsJust(account: InnerAccount | undefined, { account: former }: OperationStart, grants: readonly string[]) {
  const isSame = account?.textBesidesGrants === former?.textBesidesGrants
  return account !== undefined && isSame && account.grants.join() === grants.toSorted().join()
}

export const accountOperations: readonly MatrixOperation[] = [
  {
    name: 'create',
    before: undefined,
    ask: (scim, user) => scim.post(user),
    success: 201,
    isDone: isOn,
    isShown: true,
  },
  {
    name: 'replace',
    before: 'on',
    ask: (scim, user, id) => scim.put(id, { ...user, name: { givenName: 'Grace', familyName: 'Hopper' } }),
    success: 200,
    isDone: (account) => isOn(account) && account?.familyName === 'Hopper',
    isShown: true,
  },
  {
    name: 'patch',
    before: 'on',
    ask: (scim, _user, id) => scim.patch(id, [renamed]),
    success: 200,
    isDone: (account) => isOn(account) && account?.familyName === 'King',
    isShown: true,
  },
  {
    name: 'deactivate',
    before: 'on',
    ask: (scim, _user, id) => scim.patch(id, switched(false)),
    success: 200,
    isDone: isOff,
    isShown: true,
  },
  {
    name: 'reactivate',
    before: 'off',
    ask: (scim, _user, id) => scim.patch(id, switched(true)),
    success: 200,
    isDone: isOn,
    isShown: true,
  },
  {
    name: 'delete',
    before: 'on',
    ask: (scim, _user, id) => scim.delete(id),
    success: 204,
    isDone: (account) => account?.isOn !== true,
    isShown: false,
  },
]

/** Of people who are off, or are to be: nothing keeps them on, and nothing is called done that was not. */
export const offOperations: readonly MatrixOperation[] = [
  {
    name: 'patch while off',
    before: 'off',
    ask: (scim, _user, id) => scim.patch(id, [renamed]),
    success: 200,
    isDone: (account) => isOff(account) && account?.familyName === 'King',
    isDoneWithDrift: isOff,
    isShown: true,
  },
  {
    name: 'deactivate with a patch',
    before: 'on',
    ask: (scim, _user, id) => scim.patch(id, [renamed, ...switched(false)]),
    success: 200,
    isDone: (account) => isOff(account) && account?.familyName === 'King',
    isDoneWithDrift: isOff,
    isShown: true,
  },
]

export const grantOperations: readonly MatrixOperation[] = [
  {
    name: 'grant',
    before: 'on',
    isAboutGroup: true,
    ask: (scim, _user, id, group) => scim.patchGroup(group, adding(id)),
    success: 204,
    isDone: (account, start) => holdsJust(account, start, [...(start.account?.grants ?? []), ...start.gives]),
    isShown: true,
  },
  {
    name: 'revoke',
    before: 'on',
    isAboutGroup: true,
    arrange: (scim, id, group) => scim.patchGroup(group, adding(id)),
    ask: (scim, _user, id, group) => scim.patchGroup(group, removing(id)),
    success: 204,
    isDone: (account, start) =>
      holdsJust(account, start, start.account?.grants.filter((grant) => !start.gives.includes(grant)) ?? []),
    isShown: true,
  },
]

export const matrixOperations: readonly MatrixOperation[] = [...accountOperations, ...offOperations, ...grantOperations]
