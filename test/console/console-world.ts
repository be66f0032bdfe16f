import type { JsonObject } from '../../src/json.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

export const operatorToken = 'operator-of-all-connections'

export interface Visitor {
  /** Of a page, or of what a form was answered with. */
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>
  /** A form of this session, sent as a browser sends it. */
  readonly post: (path: string, fields?: Record<string, string>, headers?: Record<string, string>) => Promise<Response>
  readonly cookie: string
}

export interface ConsoleWorld extends BridgeWorld {
  /** Signs in; throws when that is refused. */
  visitor(token?: string): Promise<Visitor>
}

/** A whole bridge whose pages open with `operatorToken`. */
export async function startConsoleWorld(change: (config: JsonObject) => void = () => {}): Promise<ConsoleWorld> {
  const world = await startBridgeWorld((config) => {
    config.console = { tokens: [operatorToken] }
    change(config)
  })
  return Object.assign(Object.create(world, {}), {
    visitor: (token: string = operatorToken) => signIn(world.url, token),
  })
}

export function sendForm(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    body: new URLSearchParams(fields),
  })
}

/** Throws when it is refused. */
export async function signIn(url: string, token: string): Promise<Visitor> {
  const answer = await sendForm(`${url}/console/sign-in`, { token })
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
  if (answer.status !== 303 || cookie === '') throw new Error(`signing in was refused with ${answer.status}`)
  // What a button has said comes along to the next page, as in a browser.
  let notice: string | undefined
  const remember = (answer: Response) => {
    const set = answer.headers.getSetCookie().find((one) => one.startsWith('scim_bridge_notice='))
    if (set !== undefined) notice = set.includes('Max-Age=0') ? undefined : set.split(';', 1)[0]
    return answer
  }
  const cookies = () => (notice === undefined ? cookie : `${cookie}; ${notice}`)
  const get: Visitor['get'] = async (path, headers = {}) =>
    remember(await fetch(`${url}/console${path}`, { redirect: 'manual', headers: { cookie: cookies(), ...headers } }))
  const page = await (await get('')).text()
  const form = /name="form" value="([^"]+)"/.exec(page)?.[1] ?? ''
  return {
    get,
    cookie,
    post: async (path, fields = {}, headers = {}) =>
      remember(await sendForm(`${url}/console${path}`, { form, ...fields }, { cookie: cookies(), ...headers })),
  }
}
