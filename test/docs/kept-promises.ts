/** Asks a running server for what an OpenAPI document promises, and keeps account of it. */
import assert from 'node:assert/strict'
import type { JsonObject } from '../../src/json.ts'
import type { OpenApi } from './openapi-document.ts'
import { send } from './send.ts'

/** `as`: who asks; undefined: whoever mostly does. */
export interface Asking<Who> {
  readonly as?: Who
  readonly path?: Readonly<Record<string, string>>
  readonly query?: string
  /** Text goes out as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface KeptPromises<Who> {
  /** `GET /scim/v2/Users 200`: asks, and judges the answer by the document; answers its body. */
  ask(promise: string, wish?: Asking<Who>): Promise<JsonObject>
  /** That no promise of the document was left out, and nothing else was asked for. */
  assertAll(): void
}

export function keepPromises<Who>(
  openApi: OpenApi,
  server: {
    /** Of what the document's paths begin with; the server may not run yet. */
    readonly url: () => string
    /** Of bodies. */
    readonly mediaType: string
    /** What stands for a name in a path. */
    readonly segment: (name: string, wish: Asking<Who>) => string
    readonly credentials: (as: Who | undefined) => Readonly<Record<string, string>>
  },
): KeptPromises<Who> {
  const kept = new Set<string>()
  return {
    async ask(promise, wish = {}) {
      const [method = '', template = '', status = ''] = promise.split(' ')
      const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => server.segment(name, wish))
      const body = wish.body === undefined || typeof wish.body === 'string' ? wish.body : JSON.stringify(wish.body)
      const answer = await send(`${server.url()}${path}${wish.query ?? ''}`, {
        method,
        headers: {
          ...server.credentials(wish.as),
          ...(body === undefined ? {} : { 'Content-Type': server.mediaType }),
          ...wish.headers,
        },
        body,
      })
      const { text } = answer
      assert.equal(String(answer.status), status, `${promise}: ${text}`)
      assert.deepEqual(openApi.problemsOf(method, template, wish.body, answer), [], promise)
      kept.add(promise)
      return text === '' ? {} : JSON.parse(text)
    },
    assertAll() {
      assert.deepEqual([...kept].sort(), [...openApi.promises].sort())
    },
  }
}
