import express, { type Express, type RequestHandler } from 'express'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { RoutedContext, ScimConnection } from '../scim/context.ts'
import { libraryRoutes, ownRoutes } from '../scim/router.ts'
import type { Store } from '../store/store.ts'
import type { Tracer } from '../tracing.ts'
import { accessLog } from './access-log.ts'
import { type AdminDoorOptions, adminDoor } from './admin-door.ts'
import { authenticate } from './authenticate.ts'
import type { Authentication } from './authentication/create-authentication.ts'
import { keySetEndpoint, tokenEndpoint } from './authentication/token-endpoint.ts'
import { body } from './body.ts'
import { type CallerLimits, callerLimit } from './caller-limit.ts'
import { health } from './health.ts'
import { inOrder } from './in-order.ts'
import { lastErrorHandler, noSuchEndpoint } from './last-error.ts'
import type { Metrics } from './metrics.ts'
import { query } from './query.ts'
import type { RequestLog } from './request-log.ts'
import { requestState, stateOf } from './request-state.ts'
import { route } from './route.ts'
import { sendScimText } from './send-scim-text.ts'
import { traceRequest } from './trace-request.ts'

export interface Served {
  readonly connections: ReadonlyMap<string, ScimConnection>
  readonly authentication: Authentication
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Real milliseconds that a request may take before its answer is due. */
  readonly workMs: number
  readonly limits: CallerLimits
  /** The operator's pages. */
  readonly console: RequestHandler
  /** The same for programs. */
  readonly admin: AdminDoorOptions['admin']
  /** Keeps requests for them. */
  readonly requestLog: Pick<RequestLog, 'watch'>
  /** Undefined: nothing is traced, and nothing stands in a request's way for it. */
  readonly tracer?: Tracer | undefined
}

/** The order of everything that happens to a request. */
export function createApp(served: Served): Express {
  const { authentication, clock, log, metrics, store, tracer } = served
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false)
  // A proxy that keeps /metrics, /console and /admin inside knows them as they are written, and no other spelling may lead there.
  app.enable('case sensitive routing').enable('strict routing')
  sendScimText(app)
  const traced = tracer === undefined ? [] : [traceRequest(tracer)]
  const scim = inOrder(
    ...traced,
    accessLog(log, metrics, clock),
    route,
    // Authentication comes before the first byte of a body: strangers must not make us parse.
    authenticate(authentication),
    served.requestLog.watch,
    callerLimit(clock, served.limits),
    body,
    query,
    context(served),
    ownRoutes(),
    libraryRoutes(),
  )
  const oauth = {
    token: inOrder(accessLog(log, metrics, clock), tokenEndpoint({ ...authentication, log })),
    jwks: inOrder(accessLog(log, metrics, clock), keySetEndpoint(authentication.gates)),
  }
  app.use(inOrder(requestState(clock, served.workMs), mountConnections(scim), mountOauth(oauth)))
  app.use(health(store, metrics, authentication.metricsAccess))
  app.use('/console', served.console)
  app.use('/admin/v1', adminDoor(served))
  app.use(noSuchEndpoint)
  app.use(lastErrorHandler(log))
  return app
}

const scimPath = /^\/([^/?]+)\/scim\/v2(?=[/?]|$)/

/** `/{connection}/scim/v2`, taken off the path here: Express' own parameters are merged anew for each of the layers behind. */
function mountConnections(scim: RequestHandler): RequestHandler {
  return (request, response, next) => {
    const match = scimPath.exec(request.url)
    if (match === null) return next()
    const [prefix, connection] = match
    stateOf(response).connection = connection ?? ''
    request.baseUrl = prefix
    request.url = request.url.slice(prefix.length) || '/'
    if (!request.url.startsWith('/')) request.url = `/${request.url}`
    return scim(request, response, next)
  }
}

const oauthPath = /^\/([^/?]+)\/oauth2\/(token|jwks)(?=\?|$)/

/** `/{connection}/oauth2/token` and `/{connection}/oauth2/jwks`. */
function mountOauth(endpoints: { readonly token: RequestHandler; readonly jwks: RequestHandler }): RequestHandler {
  return (request, response, next) => {
    const match = oauthPath.exec(request.url)
    if (match === null) return next()
    stateOf(response).connection = match[1] ?? ''
    const endpoint = match[2] === 'token' ? endpoints.token : endpoints.jwks
    return endpoint(request, response, next)
  }
}

/** Everything that the SCIM layer may know of a request. */
function context({ connections, store, clock, log }: Served): RequestHandler {
  return (request, response, next) => {
    const state = stateOf(response)
    const connection = connections.get(state.connection ?? '')
    if (connection === undefined) return noSuchEndpoint(request, response, next)
    const scimContext: RoutedContext = {
      connection,
      store,
      clock,
      log,
      requestId: state.id,
      caller: state.caller ?? '',
      budget: state.budget,
      query: response.locals.query,
      ifMatch: request.headers['if-match'],
      ifNoneMatch: request.headers['if-none-match'],
      body: response.locals.body,
      response: {
        setHeader: (name, value) => response.setHeader(name, value),
        whenSent(work) {
          response.once('finish', () => {
            if (response.statusCode < 300) work()
          })
        },
      },
      keepProblem(problem) {
        response.locals.problem = problem
      },
    }
    response.locals.context = scimContext
    next()
  }
}
