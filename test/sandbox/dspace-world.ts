import assert from 'node:assert/strict'
import { after } from 'node:test'
import { createDspace, type DspaceOptions, type DspaceSimulator } from '../../src/sandbox/dspace/dspace.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import type { RunningSimulator } from '../../src/sandbox/simulator.ts'

export interface Said {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined when the body is empty or no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever a platform says
  readonly json: any
}

export interface Ask {
  /** Text as it is, or an object as JSON. */
  readonly body?: unknown
  readonly type?: string
  /** JWT; undefined is anonymous. */
  readonly jwt?: string | undefined
  /** A valid pair unless told. */
  readonly header?: string
  readonly cookie?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface DspaceWorld {
  readonly dspace: DspaceSimulator
  readonly simulator: RunningSimulator
  /** JWT of the administrator. */
  readonly jwt: string
  /** As the administrator unless told, and with a valid CSRF pair. */
  call(method: string, path: string, ask?: Ask): Promise<Said>
  login(user: string, password: string): Promise<Said>
  /** Signs in and gives the JWT. */
  jwtOf(user: string, password: string): Promise<string>
  create(change?: object): Promise<Said>
  patch(uuid: string, ...operations: readonly object[]): Promise<Said>
  /** `POST` of a uri-list. */
  addTo(path: string, ...uuids: readonly string[]): Promise<Said>
  /** Moves the clock. */
  wait(ms: number): void
}

export const people = '/api/eperson/epersons'
export const groupsPath = '/api/eperson/groups'
export const registrationsPath = '/api/eperson/registrations'
export const minuteMs = 60_000
export const nobody = '00000000-0000-4000-8000-000000000000'

export const first = (value: string) => ({ 'eperson.firstname': [{ value }] })

/** Ends with the test file. */
export async function dspaceWorld(options: DspaceOptions = {}): Promise<DspaceWorld> {
  let time = Date.parse('2026-03-01T12:00:00Z')
  const dspace = createDspace({ now: () => time, ...options })
  const simulator = await startSimulator(dspace)
  after(() => simulator.close())

  const send = async (method: string, path: string, ask: Ask): Promise<Said> => {
    const { body } = ask
    const cookie = ask.cookie ?? 'pair'
    const answer = await fetch(simulator.baseUrl + path, {
      method,
      headers: {
        ...(ask.jwt === undefined ? {} : { authorization: `Bearer ${ask.jwt}` }),
        ...(body === undefined ? {} : { 'content-type': ask.type ?? 'application/json' }),
        'x-xsrf-token': ask.header ?? 'pair',
        ...(cookie === '' ? {} : { cookie: `DSPACE-XSRF-COOKIE=${cookie}` }),
        ...ask.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
  }
  const login = (user: string, password: string) =>
    send('POST', '/api/authn/login', {
      body: new URLSearchParams({ user, password }).toString(),
      type: 'application/x-www-form-urlencoded',
    })
  const jwtOf = async (user: string, password: string) => {
    const answer = await login(user, password)
    assert.equal(answer.status, 200)
    return bearer(answer)
  }
  const jwt = await jwtOf(dspace.credentials.user, dspace.credentials.password)
  const call: DspaceWorld['call'] = (method, path, ask = {}) => send(method, path, { jwt, ...ask })
  return {
    dspace,
    simulator,
    jwt,
    call,
    login,
    jwtOf,
    create: (change = {}) =>
      call('POST', people, { body: { email: 'Ann@X.example', canLogIn: true, type: 'eperson', ...change } }),
    patch: (uuid, ...operations) =>
      call('PATCH', `${people}/${uuid}`, { body: operations, type: 'application/json-patch+json' }),
    addTo: (path, ...uuids) =>
      call('POST', path, {
        body: uuids.map((uuid) => `https://elsewhere.example/server${people}/${uuid}`).join('\n'),
        type: 'text/uri-list',
      }),
    wait: (ms) => {
      time += ms
    },
  }
}

export function bearer(answer: Said): string {
  const token = /^Bearer (.+)$/.exec(answer.headers.get('authorization') ?? '')?.[1]
  assert.ok(token !== undefined)
  return token
}

export function namesOf(answer: Said, relation: string): string[] {
  return (answer.json._embedded?.[relation] ?? []).map((row: { name: string }) => row.name)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
