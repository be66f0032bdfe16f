/** What can be asked of one person, and what must be true of the account in the end. */
import type { Response } from 'supertest'
import type { JsonObject } from '../../src/json.ts'
import type { InnerAccount } from './accounts.ts'
import type { WatchedScim } from './watched-scim.ts'

export interface MatrixOperation {
  readonly name: string
  /** What the person has gone through before; undefined: nothing, they are new. */
  readonly before: 'on' | 'off' | undefined
  ask(scim: WatchedScim, user: JsonObject, id: string): Promise<Response>
  /** The status of the answer when nothing goes wrong. */
  readonly success: number
  /** Undefined: no account. */
  isDone(account: InnerAccount | undefined): boolean
  /** Whether SCIM shows the user in the end. */
  readonly isShown: boolean
}

const switched = (value: boolean) => [{ op: 'replace', path: 'active', value }]
const isOn = (account: InnerAccount | undefined) => account?.isOn === true
const isOff = (account: InnerAccount | undefined) => account?.isOn === false

export const matrixOperations: readonly MatrixOperation[] = [
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
    ask: (scim, _user, id) => scim.patch(id, [{ op: 'replace', path: 'name.familyName', value: 'King' }]),
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
