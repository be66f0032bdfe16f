import type { ErrorRequestHandler, RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { errorBody, problemOf } from '../scim/error-body.ts'
import { scimMediaType } from '../scim/router.ts'
import { stateOf } from './request-state.ts'

export const noSuchEndpoint: RequestHandler = () => {
  throw new Problem(404, undefined, 'There is no such endpoint.')
}

/**
 * The only place that writes errors (RFC 7644 §3.12). It shows our own `Problem`s and nothing else: the text of any other
 * error stays in the log.
 */
export function lastErrorHandler(log: Log): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const state = stateOf(response)
    const problem = problemOf(response.locals.problem ?? error)
    state.problem = problem.message
    // 501 is about the caller, who asks for what is not offered.
    if (problem.status >= 500 && problem.status !== 501)
      log.error({ requestId: state.id, err: problem.cause ?? problem }, 'a request failed')
    if (response.headersSent) {
      log.error({ requestId: state.id }, 'a request failed after its answer had begun')
      response.destroy()
      return
    }
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
    response.status(problem.status)
    if (problem.status === 304) {
      response.end()
      return
    }
    response.setHeader('Content-Type', scimMediaType)
    if (request.method === 'HEAD') response.end()
    else response.end(Buffer.from(JSON.stringify(errorBody(problem, state.id))))
  }
}
