import { type ErrorRequestHandler, type RequestHandler, type Response, Router } from 'express'
import type { AdminCaller } from '../access.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { accessLog } from './access-log.ts'
import type { AdminAccess } from './authentication/admin-access.ts'
import { type CallerLimits, callerLimit } from './caller-limit.ts'
import { inOrder } from './in-order.ts'
import type { Metrics } from './metrics.ts'
import { stateOf } from './request-state.ts'

export interface AdminDoorOptions {
  readonly authentication: { readonly adminAccess: AdminAccess }
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: CallerLimits
  /** What is behind the door, and how it writes errors: those of the door, too. */
  readonly admin: { readonly serve: RequestHandler; readonly lastError: ErrorRequestHandler }
}

/** The way into the admin API: as into SCIM, before the first byte of a body is read. */
export function adminDoor({ authentication, clock, log, metrics, limits, admin }: AdminDoorOptions): RequestHandler {
  const router = Router()
  router.use(
    inOrder(
      accessLog(log, metrics, clock),
      authenticateAdmin(authentication.adminAccess),
      callerLimit(clock, limits),
      admin.serve,
    ),
  )
  router.use(admin.lastError)
  return router
}

const connectionPath = /^\/connections\/([^/?]+)/

function authenticateAdmin(access: AdminAccess): RequestHandler {
  return (request, response, next) => {
    const state = stateOf(response)
    return access(request, state.id).then((caller) => {
      state.caller = caller.name
      const name = connectionPath.exec(request.url)?.[1] ?? ''
      // Only one that is the caller's: what anybody writes into a path is not for the log or the labels of metrics.
      if (caller.roles.has(name)) state.connection = name
      response.locals.adminCaller = caller
      next()
    })
  }
}

export function adminCallerOf(response: Response): AdminCaller {
  return response.locals.adminCaller
}
