import { after } from 'node:test'
import {
  createSelfcommunity,
  type SelfcommunityOptions,
  type SelfcommunitySimulator,
} from '../../src/sandbox/selfcommunity/selfcommunity.ts'
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

/** Whose token: a user's id, a token as it is, or none. */
export type As = number | string | null

export interface SelfcommunityWorld {
  readonly community: SelfcommunitySimulator
  readonly simulator: RunningSimulator
  /** Below `/api/v2`; by the service user unless told. */
  call(method: string, path: string, body?: unknown, as?: As): Promise<Said>
  signup(change?: object): Promise<Said>
}

export const ada = { username: 'ada', ext_id: 'sso-ada', email: 'ada@uni.example', real_name: 'Ada Lovelace' }

/** Ends with the test file. */
export async function selfcommunityWorld(options?: SelfcommunityOptions): Promise<SelfcommunityWorld> {
  const community = createSelfcommunity(options)
  const simulator = await startSimulator(community)
  after(() => simulator.close())
  const call: SelfcommunityWorld['call'] = async (method, path, body, as = community.credentials.userId) => {
    const token = typeof as === 'number' ? community.tokenFor(as) : as
    const answer = await fetch(`${simulator.baseUrl}/api/v2${path}`, {
      method,
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
  }
  return { community, simulator, call, signup: (change = {}) => call('POST', '/sso/signup/', { ...ada, ...change }) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `field: code` of each error; general errors have no field. */
export function problemsOf(said: Said): string[] {
  const errors: { field?: string; code?: string; messages?: { code?: string }[] }[] = said.json?.errors ?? []
  return errors.map(({ field, code, messages }) =>
    field === undefined ? String(code) : `${field}: ${messages?.map((message) => message.code).join(', ')}`,
  )
}
