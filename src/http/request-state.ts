import type { RequestHandler, Response } from 'express'
import type { Clock } from '../clock.ts'
import { type Deadline, startDeadline } from '../deadline.ts'

/** What one request has come to know of itself on its way through the middleware. */
export interface RequestState {
  readonly id: string
  readonly startedAt: number
  /** Aborted when the time for an answer is over, less what the last commit and the answer need. */
  budget(): AbortSignal
  connection?: string
  caller?: string
  /** For metrics and the log: `Users/*`, never an id. */
  route?: string
  /** Where traces are on. */
  traceId?: string
  /** What the answer said was wrong. */
  problem?: string
  readonly afterwards: (() => void)[]
}

export function stateOf(response: Response): RequestState {
  return response.locals.state
}

/** Runs `work` when the answer is out or the caller is gone. One listener serves all: each costs more than what it is for. */
export function whenClosed(response: Response, work: () => void): void {
  stateOf(response).afterwards.push(work)
}

/** Not of HTTP, but what proxies write down when a caller was gone before there was an answer. */
const callerGone = 499

/** Of the answer, for logs and metrics. Express says 200 from the start: whoever was gone before an answer began got none. */
export function statusOf(response: Response): number {
  return response.headersSent ? response.statusCode : callerGone
}

/** First of all: an id for logs and answers, the time budget (`workMs`), and headers that every answer has. */
export function requestState(clock: Clock, workMs: number): RequestHandler {
  return (_request, response, next) => {
    let deadline: Deadline | undefined
    const state: RequestState = {
      id: crypto.randomUUID(),
      startedAt: clock.now(),
      // Most requests read only, and never need a timer. No getter: each object with one has a shape of its own, which keeps the
      // whole request in memory until the next full collection.
      budget: () => {
        deadline ??= startDeadline(workMs)
        return deadline.signal
      },
      afterwards: [],
    }
    response.locals.state = state
    response.once('close', () => {
      // Of a caller who is gone the work goes on, until its time is up.
      if (response.writableFinished) deadline?.end()
      for (const work of state.afterwards) work()
    })
    response.setHeader('X-Request-Id', state.id)
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cache-Control', 'no-store')
    next()
  }
}
