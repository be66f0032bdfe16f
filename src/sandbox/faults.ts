/** The fault schedule of a simulator: which calls go wrong, and how. One row a mode. */
import { gzipSync } from 'node:zlib'
import type { FaultMode, FaultRequest, SimulatorAnswer, SimulatorRequest } from './simulator.ts'

/** One call in work, as a fault sees it. */
export interface Exchange {
  readonly request: SimulatorRequest
  readonly isWrite: boolean
  /** Does what the call asks for. */
  perform(): Promise<SimulatorAnswer>
  send(answer: SimulatorAnswer): void
  /** Closes the connection; `sent` goes out raw before. */
  cut(sent?: string): void
  /** Sends the status line, the headers and this much of the body, then closes. */
  sendPart(answer: SimulatorAnswer): void
  /** Sends the body byte by byte, `waitMs` between two. */
  drip(answer: SimulatorAnswer, waitBetween: () => Promise<void>): Promise<void>
  /** False when the client has gone. */
  isOpen(): boolean
  refuseCredentials(): SimulatorAnswer
  serverError(): SimulatorAnswer
}

/** Ends after `ms` (for ever when absent), or as soon as the mode is changed. */
type Wait = (ms?: number) => Promise<void>
type Effect = (exchange: Exchange, fault: FaultRequest, wait: Wait) => Promise<void> | void

const defaultDelayMs = 1_000
const htmlPage =
  '<!DOCTYPE html><html><head><title>Service notice</title></head><body><h1>Service notice</h1></body></html>'

const closeAtOnce: Effect = (exchange) => exchange.cut()
const asNormal: Effect = async (exchange) => exchange.send(await exchange.perform())

const effects: Readonly<Record<FaultMode, Effect>> = {
  ok: asNormal,
  down: closeAtOnce,
  'reset-before': closeAtOnce,
  slow: async (exchange, fault, wait) => {
    const answer = await exchange.perform()
    await wait(fault.delayMs ?? defaultDelayMs)
    exchange.send(answer)
  },
  lost: async (exchange) => {
    await exchange.perform()
    exchange.cut()
  },
  'reset-after': async (exchange) => {
    await exchange.perform()
    exchange.cut()
  },
  'reset-in-headers': async (exchange) => {
    const answer = await exchange.perform()
    exchange.cut(`HTTP/1.1 ${answer.status} OK\r\nContent-Ty`)
  },
  hang: async (exchange, _fault, wait) => {
    await wait()
    // Nobody waits any longer: a platform that was never reached does nothing later.
    if (exchange.isOpen()) exchange.send(await exchange.perform())
  },
  'hang-after': async (exchange, _fault, wait) => {
    const answer = await exchange.perform()
    await wait()
    exchange.send(answer)
  },
  late: async (exchange, _fault, wait) => {
    await wait()
    exchange.send(await exchange.perform())
  },
  html: (exchange) =>
    exchange.send({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: htmlPage }),
  '500': (exchange) => exchange.send(exchange.serverError()),
  '500-after': async (exchange) => {
    await exchange.perform()
    exchange.send(exchange.serverError())
  },
  '401': (exchange) => exchange.send(exchange.refuseCredentials()),
  '429': (exchange, fault) => exchange.send(busy(429, fault)),
  '503': (exchange, fault) => exchange.send(busy(503, fault)),
  truncated: async (exchange) => exchange.sendPart(await exchange.perform()),
  redirect: (exchange, fault) =>
    exchange.send({ status: 302, headers: { location: fault.location ?? 'http://elsewhere.invalid/' }, body: '' }),
  drip: async (exchange, fault, wait) =>
    exchange.drip(await exchange.perform(), () => wait(fault.delayMs ?? defaultDelayMs)),
  answer: async (exchange, fault) => {
    if (fault.isDone === true) await exchange.perform()
    exchange.send(madeUp(fault))
  },
}

function madeUp({ status = 200, contentType = 'application/json', body = '', repeat = 1, bodyAs }: FaultRequest) {
  const headers = { 'content-type': contentType }
  const text = body.repeat(repeat)
  if (bodyAs === 'gzip') {
    return { status, headers: { ...headers, 'content-encoding': 'gzip' }, bytes: gzipSync(text) }
  }
  if (bodyAs === 'latin1') return { status, headers, bytes: Buffer.from(text, 'latin1') }
  return { status, headers, body: text }
}

function busy(status: number, fault: FaultRequest): SimulatorAnswer {
  const headers = { 'content-type': 'application/json' }
  return {
    status,
    headers: fault.retryAfter === undefined ? headers : { ...headers, 'retry-after': fault.retryAfter },
    body: JSON.stringify({ message: status === 429 ? 'Too many requests' : 'Service unavailable' }),
  }
}

export interface FaultSchedule {
  /** Replaces the mode and lets go the calls that are waiting. */
  set(fault: FaultRequest): void
  /** Answers one call, well or badly. */
  apply(exchange: Exchange): Promise<void>
  readonly mode: FaultMode
  /** How often the present mode has been applied since it was set. */
  readonly fired: number
  readonly waiting: number
}

export function createFaultSchedule(): FaultSchedule {
  let present: FaultRequest = { mode: 'ok' }
  let fitted = 0
  let fired = 0
  const waiters = new Set<() => void>()

  const wait: Wait = (ms) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        waiters.delete(done)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(done, ms)
      waiters.add(done)
    })

  const fits = (exchange: Exchange): boolean => {
    const { mode, only, path, skip = 0, times } = present
    if (mode === 'ok') return false
    if (mode === 'lost' && !exchange.isWrite) return false
    if (only === 'reads' && exchange.isWrite) return false
    if (only === 'writes' && !exchange.isWrite) return false
    if (path !== undefined && !exchange.request.path.startsWith(path)) return false
    if (times !== undefined && fired >= times) return false
    fitted += 1
    return fitted > skip
  }

  return {
    set(fault) {
      present = fault
      fitted = 0
      fired = 0
      for (const done of [...waiters]) done()
    },
    async apply(exchange) {
      if (!fits(exchange)) return asNormal(exchange, present, wait)
      fired += 1
      return effects[present.mode](exchange, present, wait)
    },
    get mode() {
      return present.mode
    },
    get fired() {
      return fired
    },
    get waiting() {
      return waiters.size
    },
  }
}
