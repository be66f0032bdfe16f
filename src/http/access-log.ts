import type { RequestHandler } from 'express'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from './metrics.ts'
import { stateOf } from './request-state.ts'

/** One line and one count for each request: route and status, never a path with an id, a query or a value. */
export function accessLog(log: Log, metrics: Metrics, clock: Clock): RequestHandler {
  return (request, response, next) => {
    response.once('close', () => {
      const state = stateOf(response)
      const line = {
        requestId: state.id,
        connection: state.connection ?? '-',
        caller: state.caller,
        method: request.method,
        route: state.route ?? '-',
        status: response.statusCode,
        ms: clock.now() - state.startedAt,
        isFlushed: response.writableFinished,
      }
      metrics.countRequest(line, line.ms / 1_000)
      log.info(line, 'request')
    })
    next()
  }
}
