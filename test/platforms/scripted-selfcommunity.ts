/** A community that does as much as these tests need and whatever else they tell it; the sandbox has the whole. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import type { Attributes, Json } from '../../src/facts.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { selfcommunity } from '../../src/platforms/selfcommunity/selfcommunity.ts'
import {
  noPace,
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.ts'
import { aCall } from './world.ts'

export const secret = 'community-secret-of-the-tests-0123456789'
export const started = 1_800_000_000_000

export interface Person {
  id: number
  username: string
  ext_id: string | null
  email: string
  real_name: string
  status: string
  [name: string]: Json
}

export interface Community {
  readonly people: Person[]
  readonly roles: Map<number, string>
  readonly tags: { id: number; name: string; type: string }[]
  readonly held: Map<number, Set<number>>
  /** An answer that comes before the community's own. */
  before?: (request: ScriptedRequest) => ScriptedAnswer | undefined
}

export function aCommunity(): Community {
  const ada = { id: 7, username: 'ada', ext_id: 'x-ada', email: 'ada@uni.example', real_name: 'Ada', status: 'a' }
  const bob = { ...ada, id: 8, username: 'bob', ext_id: 'x-bob', email: 'bob@uni.example', status: 'b' }
  const service = { ...ada, id: 2, username: 'service', ext_id: null, email: 's@uni.example' }
  const creator = { ...service, id: 1, username: 'creator', email: 'c@uni.example' }
  return {
    people: [creator, service, ada, bob],
    roles: new Map([[2, 'admin']]),
    tags: [
      { id: 31, name: 'staff', type: 'user' },
      { id: 32, name: 'staff-old', type: 'user' },
      { id: 33, name: 'posts', type: 'category' },
    ],
    held: new Map(),
  }
}

const none = { status: 404, json: { errors: [{ message: 'Not found.', code: 'not_found' }] } }
const page = (results: readonly unknown[]) => ({ json: { count: results.length, next: null, previous: null, results } })

function answerOf(community: Community, request: ScriptedRequest): ScriptedAnswer {
  const first = community.before?.(request)
  if (first !== undefined) return first
  const { method, path, query } = request
  const caller = decodeJwt(String(request.headers.authorization).slice('Bearer '.length)).user_id
  const parts = path.split('/').filter((part) => part !== '')
  const [area = '', one = '', two = ''] = parts.slice(2)
  const body = request.text === '' ? {} : JSON.parse(request.text)
  const byId = (id: string) => community.people.find((person) => String(person.id) === id)
  if (!path.endsWith('/')) return { status: 301, headers: { location: `${path}/` } }
  if (area === 'account') {
    const [name = '', value = ''] = [...query].find(([key]) => key !== 'provider') ?? []
    const found = community.people.find((person) => person[name] === value && person.status !== 'd')
    return found === undefined ? none : { json: found }
  }
  if (area === 'moderation') {
    const person = byId(two)
    if (method === 'GET')
      return page(community.people.filter(({ status }) => status === (query.get('status') ?? status)))
    if (person === undefined) return none
    person.status = body.status
    return { status: 204 }
  }
  if (area === 'tag' && two !== '') {
    const held = community.held.get(body.user) ?? new Set()
    if (two === 'add') held.add(Number(one))
    else held.delete(Number(one))
    community.held.set(body.user, held)
    return { status: 204 }
  }
  if (area === 'tag' && method === 'GET' && one !== '') {
    const found = community.tags.find(({ id }) => String(id) === one)
    return found === undefined ? none : { json: found }
  }
  if (area === 'tag' && method === 'POST') {
    const made = { id: 40 + community.tags.length, ...body }
    community.tags.push(made)
    return { status: 201, json: made }
  }
  if (area === 'tag') return page(community.tags.filter(({ name }) => name.includes(query.get('search') ?? '')))
  if (area === 'sso') {
    const made = { real_name: '', ...body, id: 50, status: 'a' }
    community.people.push(made)
    return { status: 201, json: { id: 50, ext_id: body.ext_id, username: body.username } }
  }
  if (one === 'me') {
    const person = byId(String(caller))
    return { json: { ...person, role: community.roles.get(Number(caller)) ?? null } }
  }
  const person = byId(one)
  if (person === undefined || person.status === 'd') return none
  if (two === 'tags') return page(community.tags.filter(({ id }) => community.held.get(person.id)?.has(id)))
  if (two === 'provider') {
    person.ext_id = body.ext_id
    return { status: 201, json: {} }
  }
  if (method === 'DELETE') {
    person.status = 'd'
    return { status: 204 }
  }
  if (method === 'GET') {
    const { email: _email, status: _status, ...profile } = person
    return { json: profile }
  }
  if (caller !== person.id || person.status !== 'a') return { status: 403, json: { errors: [] } }
  Object.assign(person, two === 'change_email' ? { email: body.new_email } : body)
  return two === 'change_email' ? { status: 204 } : { json: person }
}

interface Started {
  readonly server: ScriptedServer
  readonly connection: PlatformConnection
  readonly clock: { ms: number }
}

export async function connected(
  t: TestContext,
  community: Community,
  settings: Record<string, unknown> = {},
): Promise<Started> {
  const server = await scriptedServer((request) => answerOf(community, request))
  const clock = { ms: started }
  const connection = selfcommunity.connect(
    selfcommunity.settings.parse({ jwtSecret: secret, userId: 2, ...settings }),
    {
      client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
      clock: { now: () => clock.ms, sleep: async () => undefined },
    },
  )
  t.after(() => connection.close())
  t.after(() => server.close())
  return { server, connection, clock }
}

export const values = (entries: Record<string, Json>): Attributes => new Map(Object.entries(entries))
export const writes = (server: ScriptedServer) => server.lines().filter((line) => !line.startsWith('GET'))

export async function read(connection: PlatformConnection, id: string) {
  const account = await connection.read(aCall(), id)
  assert.ok(account)
  return account
}
