/** EthosCE's calls. Everything is asked here, so that a refusal of our credentials stops everything here. */

import type { z } from 'zod'
import { Broken, Busy, Denied } from '../../errors.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { Client, Pace, PlatformAnswer, PlatformRequest } from '../client.ts'
import { isWrite } from '../http.ts'
import type { Call } from '../platform.ts'
import { created, listOf, references } from './answers.ts'
import { toError } from './refusals.ts'

export type Resource = 'user' | 'authmap' | 'profile2'
export type Query = readonly (readonly [name: string, value: string])[]

/** A question for one person or one page of persons that needs more pages than this is no such question. */
const maxPages = 20
/** How long a site in maintenance is left alone. */
const maintenanceMs = 60_000

export interface Site {
  /** Forgets a refusal: somebody asks whether the credentials are right now. */
  forgive(): void
  /** All rows; the values of `query` are never empty (an empty one would match the anonymous user). */
  all<T>(call: Call, resource: Resource, row: z.ZodType<T>, query: Query): Promise<readonly T[]>
  /** One page; `undefined` past the end. */
  page<T>(
    call: Call,
    resource: Resource,
    row: z.ZodType<T>,
    query: Query,
    page: number,
  ): Promise<{ rows: readonly T[]; isLast: boolean } | undefined>
  /** How many rows there are; `undefined` where the site does not tell. */
  count(call: Call, resource: Resource): Promise<number | undefined>
  /** Whether a collection may be read at all. */
  probe(call: Call, resource: Resource, query: Query): Promise<void>
  /** The new id; `undefined` after the bare error by which EthosCE says "taken", among other things: look who has it. */
  post(call: Call, resource: Resource, body: object): Promise<number | undefined>
  put(call: Call, resource: Resource, id: number, body: object): Promise<'done' | 'absent' | 'failed'>
  delete(call: Call, resource: Resource, id: number): Promise<'done' | 'absent' | 'failed'>
}

export function createSite(client: Client, pace: Pace, pageSize: number): Site {
  // Five refusals in six hours lock the service account, for the right password too: the first one is the last.
  let isRefused = false

  async function send(call: Call, request: PlatformRequest): Promise<PlatformAnswer> {
    if (isRefused) throw new Denied('the service account was refused before; nothing is sent until it is checked anew')
    const answer = await client.send(call, request)
    if (answer.status === 401 || answer.status === 403) {
      isRefused = true
      throw unexpectedAnswer(request, answer)
    }
    // Maintenance. Of a read, that is all there is to it; of a write, unexpectedAnswer says that nobody knows.
    if (answer.status === 302 && !isWrite(request)) {
      pace.hold(maintenanceMs)
      throw new Busy(`${describeAnswer(request, answer)}: maintenance`, { retryAfterMs: maintenanceMs })
    }
    return answer
  }

  async function read<T>(call: Call, resource: Resource, shape: z.ZodType<T>, query: Query): Promise<T | undefined> {
    const request: PlatformRequest = { method: 'GET', path: [resource], suffix: '.json', query }
    const answer = await send(call, request)
    if (answer.status === 200) return parseAnswer(shape, request, answer)
    if (answer.status === 404 && /Page doesn(&#039;|')t exist/.test(answer.text)) return undefined
    throw toError(request, answer)
  }

  async function write(call: Call, request: PlatformRequest): Promise<'done' | 'absent' | 'failed'> {
    const answer = await send(call, request)
    if (answer.status === 200 && !answer.isHtml) return 'done'
    if (answer.status === 404) return 'absent'
    if (answer.status === 500) return 'failed'
    throw toError(request, answer)
  }

  const site: Site = {
    forgive() {
      isRefused = false
    },
    async all(call, resource, row, query) {
      const rows = []
      for (let page = 0; page < maxPages; page += 1) {
        const answer = await site.page(call, resource, row, query, page)
        if (answer === undefined) return rows
        rows.push(...answer.rows)
        if (answer.isLast) return rows
      }
      throw new Broken(`GET /${resource}.json: more than ${maxPages} pages for one question`)
    },
    async page(call, resource, row, query, page) {
      const answer = await read(call, resource, listOf(row), [
        ...query,
        ['limit', String(pageSize)],
        ['page', String(page)],
      ])
      if (answer === undefined) return undefined
      return { rows: answer.list, isLast: answer.next === undefined || answer.list.length === 0 }
    },
    async count(call, resource) {
      const one: Query = [
        ['limit', '1'],
        ['full', '0'],
      ]
      const answer = await read(call, resource, references, one)
      const page = URL.parse(answer?.last ?? '')?.searchParams.get('page') ?? ''
      return /^\d{1,10}$/.test(page) ? Number(page) : undefined
    },
    async probe(call, resource, query) {
      await read(call, resource, references, query)
    },
    async post(call, resource, body) {
      const request: PlatformRequest = { method: 'POST', path: [resource], body }
      const answer = await send(call, request)
      if (answer.status === 201) return parseAnswer(created, request, answer).id
      // Drupal core says 500 when a unique key is taken; what EthosCE's own authmap resource says is not documented.
      if (answer.status === 500 || (resource === 'authmap' && [406, 409].includes(answer.status))) return undefined
      throw toError(request, answer)
    },
    put: (call, resource, id, body) => write(call, { method: 'PUT', path: [resource, String(id)], body }),
    delete: (call, resource, id) => write(call, { method: 'DELETE', path: [resource, String(id)] }),
  }
  return site
}
