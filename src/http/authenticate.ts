import type { RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import { type Caller, covers, neededRole } from './authentication/caller.ts'
import type { Authentication } from './authentication/create-authentication.ts'
import { presentedBy } from './authentication/presented.ts'
import { NotAuthenticated } from './authentication/refusal.ts'
import { stateOf } from './request-state.ts'

/**
 * Runs before the first byte of a body is read: strangers must not make us parse. One answer for every reason, so that it
 * tells nothing about connections and credentials; 401 is only ever about the caller's own credentials.
 */
export function authenticate({
  gates,
  watch,
  addressOf,
}: Pick<Authentication, 'gates' | 'watch' | 'addressOf'>): RequestHandler {
  return (request, response, next) => {
    const state = stateOf(response)
    const gate = gates.get(state.connection ?? '')
    const address = addressOf(request)
    const letIn = ({ name, role }: Caller) => {
      state.caller = name
      if (!covers(role, neededRole(request.method, state.route ?? ''))) throw insufficientRole()
      return next()
    }
    const refuse = (error: unknown): never => {
      if (!(error instanceof NotAuthenticated)) throw error
      const attempt = { connection: gate?.connection, requestId: state.id, address, door: 'scim' }
      throw refusalProblem(watch.failed(attempt, error), gate?.takesBasic === true)
    }
    let caller: Caller | Promise<Caller>
    try {
      if (gate === undefined) throw new NotAuthenticated('unknown')
      if (!gate.isFrom(address)) throw new NotAuthenticated('address')
      caller = gate.identify(presentedBy(request, gate.isSchemeOptional), address)
    } catch (error) {
      return refuse(error)
    }
    // Most callers are known at once: they do not pay for those who are not.
    return caller instanceof Promise ? caller.catch(refuse).then(letIn) : letIn(caller)
  }
}

/** 401, or 429 after too many of them. */
export function refusalProblem(retryAfterSeconds: number | undefined, takesBasic: boolean): Problem {
  if (retryAfterSeconds !== undefined) {
    return new Problem(429, undefined, 'Too many failed attempts to authenticate; try again later.', {
      headers: { 'Retry-After': String(retryAfterSeconds) },
    })
  }
  const challenges = [
    'Bearer realm="scim-bridge"',
    ...(takesBasic ? ['Basic realm="scim-bridge", charset="UTF-8"'] : []),
  ]
  return new Problem(401, undefined, 'The request needs valid credentials of this connection.', {
    headers: { 'WWW-Authenticate': challenges.join(', ') },
  })
}

/** RFC 6750 §3.1. */
export function insufficientRole(): Problem {
  return new Problem(403, undefined, 'These credentials may not do this: they were given another role.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="scim-bridge", error="insufficient_scope"' },
  })
}
