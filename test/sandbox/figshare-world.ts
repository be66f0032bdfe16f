import { after } from 'node:test'
import { createFigshare, type FigshareOptions, type FigshareSimulator } from '../../src/sandbox/figshare/figshare.ts'
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

export interface FigshareWorld {
  readonly portal: FigshareSimulator
  readonly simulator: RunningSimulator
  /** With the administrator's token unless another header is given. */
  call(method: string, path: string, body?: unknown, authorization?: string): Promise<Said>
  create(change?: object): Promise<Said>
}

export const accountsPath = '/account/institution/accounts'
export const ada = {
  email: 'ada@sandbox.example.org',
  first_name: 'Ada',
  last_name: 'Lovelace',
  institution_user_id: 'ada',
}

/** Ends with the test file. */
export async function figshareWorld(options?: FigshareOptions): Promise<FigshareWorld> {
  const portal = createFigshare(options)
  const simulator = await startSimulator(portal)
  after(() => simulator.close())
  const call: FigshareWorld['call'] = async (method, path, body, authorization) => {
    const answer = await fetch(simulator.baseUrl + path, {
      method,
      headers: {
        authorization: authorization ?? `token ${portal.credentials.token}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
  }
  return { portal, simulator, call, create: (change = {}) => call('POST', accountsPath, { ...ada, ...change }) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
