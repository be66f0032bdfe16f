/**
 * What identity providers sent and were answered, for the operator's pages. Written down behind the answers, many at once: a
 * crash loses the last moments of it, and nothing else.
 */
import type { Request, RequestHandler, Response } from 'express'
import type { Clock } from '../clock.ts'
import { isJsonObject, type Json } from '../json.ts'
import { keptBodyBytes, keptRequests, pendingRequests } from '../limits.ts'
import type { Log } from '../log.ts'
import type { KeptRequest } from '../store/console-store.ts'
import type { RequestKeeper } from '../store/open.ts'
import { type Kept, keptBody, keptDetail, keptQuery } from './masked.ts'
import { type RequestState, stateOf, statusOf, whenClosed } from './request-state.ts'

export interface KeptSettings {
  /** 0: nothing is kept. */
  readonly keepHours: number
  readonly bodies: Kept
}

export interface RequestLog {
  /** Behind authentication: what strangers send is not kept. */
  readonly watch: RequestHandler
  /** Writes down what has come together. A failure is logged: nobody waits for it. */
  flush(): Promise<void>
  /** Forgets what is too old. */
  forget(): Promise<void>
}

/** What is needed to tell of a request, taken when it ends; made into text later. */
interface Seen {
  readonly request: Pick<KeptRequest, 'at' | 'requestId' | 'caller' | 'method' | 'route' | 'status' | 'ms'>
  readonly resourceId: string | undefined
  readonly query: string
  readonly detail: string | undefined
  readonly sent: Json | undefined
  readonly answered: string | undefined
}

export function createRequestLog(options: {
  readonly settings: ReadonlyMap<string, KeptSettings>
  readonly store: RequestKeeper
  readonly clock: Clock
  readonly log: Log
}): RequestLog {
  const { settings, store, clock, log } = options
  let pending = new Map<string, Seen[]>()
  let count = 0
  let left = 0

  function note(connection: string, seen: Seen): void {
    if (count >= pendingRequests) {
      left += 1
      return
    }
    count += 1
    const list = pending.get(connection)
    if (list === undefined) pending.set(connection, [seen])
    else list.push(seen)
  }

  return {
    watch(request, response, next) {
      const state = stateOf(response)
      const { connection = '' } = state
      const kept = settings.get(connection)
      if (kept === undefined || kept.keepHours === 0) return next()
      // Most requests read: what they were answered is in the store anyway.
      const answer = request.method === 'GET' ? undefined : captured(response)
      whenClosed(response, () => note(connection, seenOf(request, response, state, clock.now(), answer)))
      next()
    },
    async flush() {
      if (left > 0) log.warn({ left }, 'more requests at once than are kept for the operator: some were left out')
      const all = pending
      pending = new Map()
      count = 0
      left = 0
      for (const [connection, list] of all) {
        const bodies = settings.get(connection)?.bodies ?? 'none'
        try {
          await store.keep((write) =>
            write.keepRequests(
              connection,
              list.map((seen) => keptOf(seen, bodies)),
            ),
          )
        } catch (error) {
          log.warn({ connection, err: error, left: list.length }, 'requests were not kept for the operator')
        }
      }
    },
    async forget() {
      for (const [connection, { keepHours }] of settings) {
        const before = clock.now() - keepHours * 3_600_000
        try {
          await store.keep((write) => write.forgetRequests(connection, before, keptRequests))
        } catch (error) {
          log.warn({ connection, err: error }, 'old requests could not be forgotten')
        }
      }
    },
  }
}

/** What goes out as a body, while it is short. */
function captured(response: Response): () => string | undefined {
  let text: string | undefined
  const end = response.end.bind(response)
  const watched = (...sent: Parameters<typeof end>): Response => {
    const [chunk] = sent as readonly unknown[]
    if (typeof chunk === 'string' && chunk.length <= keptBodyBytes) text = chunk
    if (Buffer.isBuffer(chunk) && chunk.length <= keptBodyBytes) text = chunk.toString('utf8')
    return end(...sent)
  }
  Object.defineProperty(response, 'end', { value: watched, configurable: true, writable: true })
  return () => text
}

function seenOf(
  request: Request,
  response: Response,
  state: RequestState,
  now: number,
  answer: (() => string | undefined) | undefined,
): Seen {
  const { id, startedAt, caller = '-', route = '-' } = state
  const { originalUrl } = request
  const mark = originalUrl.indexOf('?')
  const isLong = Number(request.headers['content-length'] ?? 0) > keptBodyBytes
  return {
    request: {
      at: startedAt,
      requestId: id,
      caller,
      method: request.method,
      route,
      status: statusOf(response),
      ms: now - startedAt,
    },
    resourceId: resourceIdOf(mark === -1 ? originalUrl : originalUrl.slice(0, mark), route, response),
    query: mark === -1 ? '' : originalUrl.slice(mark + 1),
    detail: state.problem,
    sent: isLong ? `a body of ${request.headers['content-length']} bytes, too long to be kept` : response.locals.body,
    answered: answer?.(),
  }
}

/** Of the path, or of what a POST has made. */
function resourceIdOf(path: string, route: string, response: Response): string | undefined {
  if (route === 'Users/*' || route === 'Groups/*') {
    const [id = ''] = path.replace(/\/$/, '').split('/').slice(-1)
    return decodeURIComponent(id).slice(0, 256)
  }
  const location = response.getHeader('location')
  return typeof location === 'string' ? location.split('/').at(-1) : undefined
}

function keptOf({ request, resourceId, query, detail, sent, answered }: Seen, bodies: Kept): KeptRequest {
  return {
    ...request,
    resourceId,
    query: keptQuery(query, bodies),
    detail: keptDetail(detail, bodies),
    sent: typeof sent === 'string' ? sent : keptBody(sent, bodies),
    answered: keptBody(parsed(answered), bodies),
  }
}

function parsed(text: string | undefined): Json | undefined {
  if (text === undefined || text === '') return undefined
  const value: unknown = JSON.parse(text)
  return isJsonObject(value) ? value : undefined
}
