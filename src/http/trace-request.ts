import type { RequestHandler } from 'express'
import type { Tracer } from '../tracing.ts'
import { stateOf, statusOf } from './request-state.ts'

/** A span for each SCIM request, below the caller's own if it names one. Says what the log says: route and status, never a path. */
export function traceRequest(tracer: Tracer): RequestHandler {
  return (request, response, next) => {
    const { traceparent } = request.headers
    const span = tracer.begin(request.method, {
      kind: 'server',
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    })
    const state = stateOf(response)
    state.traceId = span.traceId
    response.once('close', () => {
      const status = statusOf(response)
      span.rename(`${request.method} ${state.route ?? '-'}`)
      span.set({
        'http.request.method': request.method,
        'http.route': state.route,
        'http.response.status_code': status,
        // Of those only who were let in, as in the log: what strangers write into a path is nobody's connection.
        'scim_bridge.connection': state.caller === undefined ? undefined : state.connection,
        'scim_bridge.caller': state.caller,
        'scim_bridge.request_id': state.id,
      })
      if (status >= 500) span.fail(String(status))
      else if (!response.writableFinished) span.fail('aborted')
      span.end()
    })
    tracer.within(span, next)
  }
}
