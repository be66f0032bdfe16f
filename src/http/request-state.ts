import type { RequestHandler, Response } from 'express'
import type { Clock } from '../clock.ts'

/** What one request has come to know of itself on its way through the middleware. */
export interface RequestState {
  readonly id: string
  readonly startedAt: number
  /** Aborted when the time for an answer is over, less what the last commit and the answer need. */
  readonly signal: AbortSignal
  connection?: string
  caller?: string
  /** For metrics and the log: `GET Users`, never an id. */
  route?: string
  /** Where traces are on. */
  traceId?: string
  /** What the answer said was wrong. */
  problem?: string
}

export function stateOf(response: Response): RequestState {
  return response.locals.state
}

/** First of all: an id for logs and answers, the time budget (`workMs`), and headers that every answer has. */
export function requestState(clock: Clock, workMs: number): RequestHandler {
  return (_request, response, next) => {
    let signal: AbortSignal | undefined
    const state: RequestState = {
      id: crypto.randomUUID(),
      startedAt: clock.now(),
      // Most requests read only, and never need a timer.
      get signal() {
        signal ??= AbortSignal.timeout(workMs)
        return signal
      },
    }
    response.locals.state = state
    response.setHeader('X-Request-Id', state.id)
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cache-Control', 'no-store')
    next()
  }
}
