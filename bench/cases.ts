/** What is measured, in requests. */
import { createHash } from 'node:crypto'
import type { Wanted } from './client.ts'
import { createGroup, type World } from './world.ts'

export interface Case {
  /** Stands in the figures; never renamed, or nothing is left to compare with. */
  readonly id: string
  readonly what: string
  /** In one round. */
  readonly requests: number
  /** Before the first round, until the compiler has done what it will do: a bridge runs for weeks. */
  readonly warmUp: number
  next(n: number): Wanted
}

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const largeGroup = 50_000

export async function bridgeCases(world: World): Promise<readonly Case[]> {
  const { scim, token, ids, users } = world
  const idAt = (n: number) => ids[n % ids.length] ?? ''
  // Spread over the store, in no order that its pages have.
  const nth = (n: number) => (n * 7_919) % users
  const get = (path: string): Wanted => ({ url: `${scim}${path}`, token })
  let serial = 0
  return [
    { id: 'get', what: 'GET by id', requests: 5_000, warmUp: 5_000, next: (n) => get(`/Users/${idAt(n)}`) },
    {
      id: 'equal',
      what: 'userName eq, found',
      requests: 3_000,
      warmUp: 3_000,
      next: (n) => get(equal(`SEED${nth(n)}@example.org`)),
    },
    {
      id: 'absent',
      what: 'userName eq, not found',
      requests: 3_000,
      warmUp: 3_000,
      next: (n) => get(equal(`nobody${n}@example.org`)),
    },
    {
      id: 'list100',
      what: 'list of 100, walking',
      requests: 300,
      warmUp: 1_500,
      next: (n) => get(`/Users?startIndex=${1 + ((n * 100) % Math.max(100, Math.min(users, 10_000)))}&count=100`),
    },
    { id: 'list1000', what: 'list of 1,000', requests: 30, warmUp: 100, next: () => get('/Users?count=1000') },
    {
      id: 'post',
      what: 'POST a user',
      requests: 200,
      warmUp: 3_000,
      next() {
        serial += 1
        return { url: `${scim}/Users`, token, method: 'POST', body: aPerson(`bench${serial}@example.org`) }
      },
    },
    {
      id: 'patch',
      what: 'PATCH that the platform has to take',
      requests: 300,
      warmUp: 3_000,
      next() {
        serial += 1
        const Operations = [{ op: 'replace', path: 'name.givenName', value: `Changed${serial}` }]
        return {
          url: `${scim}/Users/${idAt(serial)}`,
          token,
          method: 'PATCH',
          body: { schemas: [patchUrn], Operations },
        }
      },
    },
    {
      id: 'put',
      what: 'PUT that the platform has to take',
      requests: 300,
      warmUp: 3_000,
      next() {
        serial += 1
        const index = serial % ids.length
        const person = aPerson(`seed${index * Math.max(1, Math.ceil(users / ids.length))}@example.org`)
        const body = { ...person, name: { givenName: `Other${serial}`, familyName: `Family${index}` } }
        return { url: `${scim}/Users/${ids[index]}`, token, method: 'PUT', body }
      },
    },
    {
      id: 'nothing',
      what: 'PATCH that changes nothing',
      requests: 500,
      warmUp: 3_000,
      next: (n) => {
        const Operations = [{ op: 'replace', path: 'active', value: true }]
        return { url: `${scim}/Users/${idAt(n)}`, token, method: 'PATCH', body: { schemas: [patchUrn], Operations } }
      },
    },
    await memberCase(world, 'member10', 10),
    ...(users >= largeGroup ? [await memberCase(world, 'member50000', largeGroup)] : []),
  ]
}

/** Adds a member and takes it out again, in turns. */
async function memberCase(world: World, id: string, size: number): Promise<Case> {
  const { scim, token, ids } = world
  const group = await createGroup(world, size)
  // The last ones are in no group yet.
  const outside = ids.slice(-Math.floor(ids.length / 20))
  let serial = 0
  return {
    id,
    what: `add or remove one member, group of ${size.toLocaleString('en')}`,
    requests: 200,
    warmUp: 2_000,
    next() {
      const person = outside[Math.floor(serial / 2) % outside.length]
      const isAdd = serial % 2 === 0
      serial += 1
      const Operations = [
        isAdd
          ? { op: 'add', path: 'members', value: [{ value: person }] }
          : { op: 'remove', path: `members[value eq "${person}"]` },
      ]
      return { url: `${scim}/Groups/${group}`, token, method: 'PATCH', body: { schemas: [patchUrn], Operations } }
    },
  }
}

/** The same questions for the library as it comes. */
export function stockCases(url: string, users: number, members: number): readonly Case[] {
  const ask = (path: string): Wanted => ({ url: `${url}${path}`, token: '' })
  return [
    { id: 'get', what: 'GET by id', requests: 1_000, warmUp: 5_000, next: (n) => ask(`/Users/${n % users}`) },
    {
      id: 'equal',
      what: 'userName eq',
      requests: 100,
      warmUp: 500,
      next: (n) => ask(equal(`seed${n % users}@example.org`)),
    },
    { id: 'list100', what: 'list of 100', requests: 20, warmUp: 20, next: () => ask('/Users?startIndex=1&count=100') },
    {
      id: 'patch',
      what: 'PATCH',
      requests: 100,
      warmUp: 1_000,
      next: (n) => {
        const Operations = [{ op: 'replace', path: 'name.givenName', value: `Given${n}` }]
        return { ...ask(`/Users/${n % users}`), method: 'PATCH', body: { schemas: [patchUrn], Operations } }
      },
    },
    {
      id: 'member50000',
      what: 'add one member',
      requests: 1,
      warmUp: 0,
      next: (n) => {
        const value = [
          {
            value: createHash('sha256')
              .update(String(members + n))
              .digest('hex'),
          },
        ]
        const Operations = [{ op: 'add', path: 'members', value }]
        return { ...ask('/Groups/0'), method: 'PATCH', body: { schemas: [patchUrn], Operations } }
      },
    },
  ]
}

function equal(userName: string): string {
  return `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`
}

export function aPerson(name: string) {
  return {
    schemas: [userUrn],
    userName: name,
    name: { givenName: 'Bench', familyName: 'Mark' },
    emails: [{ type: 'work', value: name, primary: true }],
    active: true,
  }
}
