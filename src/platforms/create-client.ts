/** The one HTTP client for all platforms. It knows HTTP and the errors, no platform. */
import { Broken, Busy, Fault, PlatformError, Unknown, Unreachable } from '../errors.ts'
import { platformAnswerBytes, platformTimeoutMs, retryAfterMinimum } from '../limits.ts'
import type { Authorize, Client, ClientSettings, PlatformAnswer, PlatformRequest } from './client.ts'
import { guardedConnect } from './connect.ts'
import { exchangeOnce } from './exchange.ts'
import { describe, encode, first, isWrite, pathOf, retryAfterMs, toAnswer } from './http.ts'
import type { Call } from './platform.ts'
import { tracedExchange } from './traced-exchange.ts'
import { Agent } from './undici.ts'

/** Sockets of one connection: a slow platform must not take those of others. */
const sockets = 4

export function createClient(settings: ClientSettings, authorize: Authorize = () => ({})): Client {
  const timeoutMs = settings.timeoutMs ?? platformTimeoutMs
  const maximumBytes = settings.maxAnswerBytes ?? platformAnswerBytes
  const agent = new Agent({
    connections: sockets,
    pipelining: 1,
    connect: guardedConnect({ timeoutMs, mayConnect: settings.mayConnect, certificates: settings.certificates }),
    // One timer of ours rules the whole request; undici's own would only add other error texts.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  async function exchange(call: Call, request: PlatformRequest, prepared: Prepared): Promise<PlatformAnswer> {
    let wasSent = false
    try {
      const { status, headers, body } = await exchangeOnce(agent, {
        ...prepared,
        method: request.method,
        signal: call.signal,
        timeoutMs,
        onStart: () => (wasSent = true),
        maximumBytes,
        tooLong: () => unreadable(request, `an answer of more than ${maximumBytes} bytes`),
      })
      // We ask for none: what is packed all the same may unpack to anything.
      if (body.length > 0 && (first(headers['content-encoding']) ?? 'identity') !== 'identity') {
        throw unreadable(request, 'an encoded answer')
      }
      return toAnswer(status, headers, body)
    } catch (error) {
      if (error instanceof PlatformError) throw error
      const detail = `${describe(request)}: ${reasonOf(error)}`
      throw wasSent ? new Unknown(detail, { cause: error }) : new Unreachable(detail, { cause: error })
    }
  }

  const { trace } = settings
  const send = trace === undefined ? exchange : tracedExchange(trace, new URL(settings.baseUrl).hostname, exchange)

  async function once(call: Call, request: PlatformRequest, credentials: Credentials): Promise<PlatformAnswer> {
    const prepared = prepare(settings.baseUrl, request, credentials)
    const release = await waitForSlot(settings, call, request)
    try {
      if (isWrite(request)) await call.beforeWrite({ method: request.method, path: pathOf(request) })
      const answer = await send(call, request, prepared).catch((error: unknown) => {
        settings.pace.noteAnswer(false)
        throw error
      })
      settings.pace.noteAnswer(answer.status < 500)
      const { date } = answer.headers
      if (typeof date === 'string') settings.noteDate?.(date)
      const busy = askedToWait(answer, request)
      if (busy !== undefined) {
        settings.pace.hold(busy.retryAfterMs ?? retryAfterMinimum * 1000)
        throw busy
      }
      if (answer.status > 500) throw new Unknown(`${describe(request)}: ${answer.status}`)
      return answer
    } finally {
      release()
    }
  }

  return {
    async send(call, request) {
      const credentials = authorize(request)
      const answer = await once(call, request, credentials)
      if (answer.status !== 401 && answer.status !== 403) return answer
      // On its way when the secret was replaced: refused for the old one, so nothing was done.
      const renewed = authorize(request)
      return isSame(credentials, renewed) ? answer : once(call, request, renewed)
    },
    close: () => agent.close(),
  }
}

type Credentials = ReturnType<Authorize>

function isSame(one: Credentials, other: Credentials): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** Our own pace having no slot in time is no sign against the platform: not `Unreachable`. */
async function waitForSlot(settings: ClientSettings, call: Call, request: PlatformRequest): Promise<() => void> {
  try {
    return await settings.pace.acquire(call.signal)
  } catch (error) {
    if (error instanceof PlatformError) throw error
    throw new Busy(`${describe(request)}: no slot in time, nothing was sent`, { cause: error })
  }
}

function askedToWait(answer: PlatformAnswer, request: PlatformRequest): Busy | undefined {
  const waitMs = retryAfterMs(answer.headers)
  if (answer.status !== 429 && !(answer.status === 503 && answer.headers['retry-after'] !== undefined)) return undefined
  const detail = `${describe(request)}: ${answer.status}`
  return waitMs === undefined ? new Busy(detail) : new Busy(detail, { retryAfterMs: waitMs })
}

interface Prepared {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

function prepare(baseUrl: string, request: PlatformRequest, credentials: Credentials): Prepared {
  for (const segment of request.path) {
    // `..` survives percent-encoding and would leave the base path; an empty segment names the collection.
    if (segment === '' || segment === '.' || segment === '..') {
      throw new Fault(`${request.method}: a path segment that may not be sent`)
    }
  }
  const query = (request.query ?? []).map((pair) => pair.map(encode).join('=')).join('&')
  const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity' }
  const body = request.body === undefined || typeof request.body === 'string' ? request.body : toJson(request.body)
  if (body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  for (const [name, value] of [...Object.entries(credentials), ...Object.entries(request.headers ?? {})]) {
    if (!/^[\w-]+$/.test(name) || !/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      throw new Fault(`${describe(request)}: a header that may not be sent`)
    }
    headers[name.toLowerCase()] = value
  }
  return { url: `${baseUrl}${pathOf(request)}${query === '' ? '' : `?${query}`}`, headers, body }
}

function toJson(body: unknown): string {
  return JSON.stringify(body)
}

function unreadable(request: PlatformRequest, what: string): PlatformError {
  const detail = `${describe(request)}: ${what}`
  return isWrite(request) ? new Unknown(detail) : new Broken(detail)
}

/** Class and code, never the text of a platform. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return code ?? (error.message === '' ? error.name : error.message)
}
