import type { RequestHandler } from 'express'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from './metrics.ts'
import { stateOf, statusOf, whenClosed } from './request-state.ts'

/** One line and one count for each request: route and status, never a path with an id, a query or a value. */
export function accessLog(log: Log, metrics: Metrics, clock: Clock): RequestHandler {
  // These lines are made here and hold nothing that would have to be removed.
  const plain = log.child({}, { redact: [] })
  return (request, response, next) => {
    whenClosed(response, () => {
      const state = stateOf(response)
      const line = {
        requestId: state.id,
        traceId: state.traceId,
        // Only of those who may know: what strangers write into a path is not for the log or the labels of metrics.
        connection: state.caller === undefined ? '-' : (state.connection ?? '-'),
        caller: state.caller,
        method: request.method,
        route: state.route ?? '-',
        status: statusOf(response),
        ms: clock.now() - state.startedAt,
        isFlushed: response.writableFinished,
      }
      metrics.countRequest(line, line.ms / 1_000)
      plain.info(line, 'request')
    })
    next()
  }
}
