/** A DSpace that does as much as these tests need and whatever else they tell it; the sandbox has the whole. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { UnsecuredJWT } from 'jose'
import type { Attributes, Json } from '../../src/facts.ts'
import { dspace } from '../../src/platforms/dspace/dspace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import {
  noPace,
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.ts'
import { aCall } from './world.ts'

const started = 1_800_000_000_000
export const serviceId = '00000000-0000-4000-8000-000000000002'
export const adaId = '00000000-0000-4000-8000-000000000007'
export const bobId = '00000000-0000-4000-8000-000000000008'

interface Person {
  uuid: string
  email: string
  netid: string | null
  canLogIn: boolean
  requireCertificate: boolean
  metadata: Record<string, { value: string }[]>
}

export interface Repository {
  readonly people: Person[]
  readonly groups: { uuid: string; name: string; permanent: boolean }[]
  /** Person → groups. */
  readonly members: Map<string, Set<string>>
  version: { dspaceVersion: string; crisVersion?: string }
  readonly clock: { ms: number }
  pair: number
  tokens: string[]
  hasCsrfEndpoint: boolean
  before?: (request: ScriptedRequest) => ScriptedAnswer | undefined
}

function aPerson(uuid: string, email: string, netid: string | null = null): Person {
  const metadata = { 'eperson.firstname': [{ value: 'First' }], 'eperson.lastname': [{ value: 'Last' }] }
  return { uuid, email, netid, canLogIn: true, requireCertificate: false, metadata }
}

export function aRepository(): Repository {
  const names = ['Administrator', 'Anonymous', 'Staff', 'Staff (old)', 'COLLECTION_1_SUBMIT']
  return {
    people: [
      aPerson(serviceId, 'bridge@uni.example'),
      aPerson(adaId, 'ada@uni.example', 'ada@idp'),
      aPerson(bobId, 'bob@uni.example'),
    ],
    groups: names.map((name, at) => ({
      uuid: `00000000-0000-4000-8000-00000000010${at}`,
      name,
      permanent: name.startsWith('A'),
    })),
    members: new Map(),
    version: { dspaceVersion: 'DSpace 9.3' },
    clock: { ms: started },
    pair: 1,
    tokens: [],
    hasCsrfEndpoint: true,
  }
}

const missing = { status: 404, json: { status: 404, error: 'Not Found', message: 'Not found', path: '/' } }

export function pairHeaders(repository: Repository): Record<string, string | string[]> {
  const value = `pair-${repository.pair}`
  return {
    'DSPACE-XSRF-TOKEN': value,
    'Set-Cookie': [
      'DSPACE-XSRF-COOKIE=; Path=/server; Max-Age=0; HttpOnly',
      `DSPACE-XSRF-COOKIE=${value}; Path=/server; HttpOnly; SameSite=Lax`,
    ],
  }
}

function logIn(repository: Repository): ScriptedAnswer {
  repository.pair++
  const exp = repository.clock.ms / 1000 + 1_800
  const token = new UnsecuredJWT({ eid: serviceId, exp, n: repository.tokens.length }).encode()
  repository.tokens.push(token)
  return { headers: { ...pairHeaders(repository), authorization: `Bearer ${token}` } }
}

const page = (name: string, rows: readonly unknown[]) => {
  const numbers = { size: 100, number: 0, totalPages: rows.length === 0 ? 0 : 1, totalElements: rows.length }
  return { page: numbers, ...(rows.length === 0 ? {} : { _embedded: { [name]: rows } }) }
}

function answerOf(repository: Repository, request: ScriptedRequest): ScriptedAnswer {
  const first = repository.before?.(request)
  if (first !== undefined) return first
  const { method, path, query, headers } = request
  const bearer = String(headers.authorization ?? '').slice('Bearer '.length)
  if (path === '/api/security/csrf')
    return repository.hasCsrfEndpoint ? { status: 204, headers: pairHeaders(repository) } : missing
  if (path === '/api/authn/status') return { headers: pairHeaders(repository), json: { authenticated: bearer !== '' } }
  if (path === '/api') return { json: repository.version }
  if (method !== 'GET' && headers.cookie !== `DSPACE-XSRF-COOKIE=${String(headers['x-xsrf-token'])}`)
    return { status: 403, headers: pairHeaders(repository), json: { message: 'Access is denied. Invalid CSRF token.' } }
  if (path === '/api/authn/login') {
    const form = new URLSearchParams(request.text)
    if (form.get('password') === 'pass word&+') return logIn(repository)
    return repository.tokens.at(-1) === bearer && bearer !== '' ? logIn(repository) : { status: 401, json: {} }
  }
  if (!repository.tokens.includes(bearer)) return { status: 401, json: { message: 'Authentication is required' } }
  return answerSignedIn(repository, { ...request, method, path, query })
}

function answerSignedIn(repository: Repository, request: ScriptedRequest): ScriptedAnswer {
  const { method, path, query, text } = request
  const [kind = '', one = '', two = '', three = ''] = path.split('/').slice(3)
  const groupsOf = (uuid: string) => repository.groups.filter((group) => repository.members.get(uuid)?.has(group.uuid))
  if (kind === 'registrations') return { status: 201 }
  if (kind === 'groups' && method === 'POST' && two === 'epersons') {
    const uuid = text.split('/').at(-1) ?? ''
    repository.members.set(uuid, (repository.members.get(uuid) ?? new Set()).add(one))
    return { status: 204 }
  }
  if (kind === 'groups' && method === 'DELETE') {
    repository.members.get(three)?.delete(one)
    return { status: 204 }
  }
  if (kind === 'groups' && method === 'POST') {
    const made = { uuid: '00000000-0000-4000-8000-000000000199', permanent: false, ...JSON.parse(text) }
    repository.groups.push(made)
    return { status: 201, json: made }
  }
  if (kind === 'groups' && one !== '' && one !== 'search') {
    const found = repository.groups.find(({ uuid }) => uuid === one)
    return found === undefined ? missing : { json: found }
  }
  if (kind === 'groups') {
    const wanted = (query.get('query') ?? '').toLowerCase()
    return {
      json: page(
        'groups',
        repository.groups.filter(({ name }) => name.toLowerCase().includes(wanted)),
      ),
    }
  }
  if (one === 'search') {
    const found = repository.people.find(({ email }) => email === query.get('email')?.toLowerCase())
    return found === undefined ? { status: 204 } : { json: found }
  }
  if (one === '' && method === 'POST') {
    const made = { ...JSON.parse(text), uuid: '00000000-0000-4000-8000-000000000099' }
    repository.people.push(made)
    return { status: 201, json: made }
  }
  if (one === '') return { json: page('epersons', repository.people) }
  const person = repository.people.find(({ uuid }) => uuid === one)
  if (person === undefined) return missing
  if (two === 'groups') return { json: page('groups', groupsOf(one)) }
  if (method === 'PATCH') for (const operation of JSON.parse(text)) apply(person, operation)
  return { json: { ...person, _embedded: { groups: page('groups', groupsOf(one)) } } }
}

function apply(person: Person, { op, path, value }: { op: string; path: string; value?: never }): void {
  const field = path.replace('/metadata/', '')
  if (path === '/email') person.email = value ?? ''
  else if (path === '/netid') person.netid = value ?? ''
  else if (path === '/canLogin') person.canLogIn = value ?? false
  else if (op === 'remove') delete person.metadata[field]
  else person.metadata[field] = [{ value: value ?? '' }]
}

interface Started {
  readonly server: ScriptedServer
  readonly connection: PlatformConnection
}

export async function connected(
  t: TestContext,
  repository: Repository,
  settings: Record<string, unknown> = {},
): Promise<Started> {
  const server = await scriptedServer((request) => answerOf(repository, request), '/server')
  const chosen = { user: 'Bridge@uni.example', password: 'pass word&+', ...settings }
  const connection = dspace.connect(dspace.settings.parse(chosen), {
    client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
    clock: { now: () => repository.clock.ms, sleep: async () => undefined },
  })
  t.after(() => connection.close())
  t.after(() => server.close())
  return { server, connection }
}

export const values = (entries: Record<string, Json>): Attributes => new Map(Object.entries(entries))
export const logIns = (server: ScriptedServer) =>
  server.lines().filter((line) => line === 'POST /api/authn/login').length
export const platformWrites = (server: ScriptedServer) =>
  server.lines().filter((line) => !line.startsWith('GET') && !line.endsWith('/login'))

export async function read(connection: PlatformConnection, id: string) {
  const account = await connection.read(aCall(), id)
  assert.ok(account)
  return account
}
