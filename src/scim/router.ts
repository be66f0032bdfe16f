import { type Request, type RequestHandler, Router } from 'express'
import { SCIMMYRouters } from 'scimmy-routers'
import { Problem } from '../errors.ts'
import { bulk } from './bulk.ts'
import type { RoutedContext, ScimContext } from './context.ts'
import { search } from './list.ts'
import { declareResources } from './resources.ts'

export const scimMediaType = 'application/scim+json'

/** Set by the middleware in front: authentication, body and query are done when a request gets here. */
export function contextOf(request: Request): RoutedContext {
  const context: RoutedContext | undefined = request.res?.locals.context
  if (context === undefined)
    throw new Problem(500, undefined, 'internal error', { detail: 'a request reached SCIM without context' })
  return context
}

/** What the library's routers would answer wrongly, answered before they see it: discovery, search, bulk and `/Me`. */
export function ownRoutes(): RequestHandler {
  const router = Router({ mergeParams: true })
  router.get(
    '/ServiceProviderConfig',
    answer((context) => unfiltered(context).discovery.serviceProviderConfig),
  )
  router.get(
    '/Schemas',
    answer((context) => unfiltered(context).discovery.schemas),
  )
  router.get(
    '/Schemas/:urn',
    answer((context, request) => found(context.connection.discovery.schema(String(request.params.urn)))),
  )
  router.get(
    '/ResourceTypes',
    answer((context) => unfiltered(context).discovery.resourceTypes),
  )
  router.get(
    '/ResourceTypes/:name',
    answer((context, request) => found(context.connection.discovery.resourceType(String(request.params.name)))),
  )
  router.post(
    '/.search',
    answer((context) => search(context, ['Group', 'User'])),
  )
  router.post(
    '/Users/.search',
    answer((context) => search(context, ['User'])),
  )
  router.post(
    '/Groups/.search',
    answer((context) => search(context, ['Group'])),
  )
  router.post('/Bulk', answer(bulk))
  router.all('/Me', () => {
    throw new Problem(501, undefined, 'This endpoint is not offered; /ServiceProviderConfig tells what is.')
  })
  // Resources are most of the traffic: they do not walk through routes that are not theirs.
  return (request, response, next) => (isResource(request.path) ? next() : router(request, response, next))
}

function isResource(path: string): boolean {
  const [, endpoint, id] = path.split('/', 3)
  return (endpoint === 'Users' || endpoint === 'Groups') && id !== '.search'
}

/**
 * The library's routers, made once: they keep their state in statics. Which of their routes a request is for has been decided in
 * front, as have body, authentication, discovery, search and bulk: it goes to the route's handler at once.
 */
export function libraryRoutes(): RequestHandler {
  declareResources()
  const router = new SCIMMYRouters({
    type: 'bearer',
    // Authentication is done before the body is read; here it is only asserted.
    handler: (request: Request) => contextOf(request).caller,
    context: (request: Request) => contextOf(request),
  })
  const handlers = handlersOf(router)
  return (request, response, next) => {
    const [, endpoint, id = ''] = request.path.split('/', 3)
    const handler = handlers.get(`${request.method} /${endpoint}/${id === '' ? '' : ':id'}`)
    if (handler === undefined) return next()
    request.params = id === '' ? {} : { id: decodeURIComponent(id) }
    response.setHeader('Content-Type', scimMediaType)
    return handler(request, response, next)
  }
}

/** By method and path: `GET /Users/`, `GET /Users/:id` and so on. */
function handlersOf(router: Router): ReadonlyMap<string, RequestHandler> {
  const handlers = new Map<string, RequestHandler>()
  for (const layer of router.stack) {
    const { handle: routes } = layer
    if (!isRouter(routes)) continue
    const mount: unknown = Reflect.get(layer, 'rawPath')
    for (const { route } of routes.stack) {
      for (const { method, handle } of route?.stack ?? []) {
        handlers.set(`${method.toUpperCase()} ${String(mount)}${route?.path}`, handle)
      }
    }
  }
  return handlers
}

function isRouter(handle: unknown): handle is Router {
  return handle instanceof Router
}

type Work = (context: ScimContext, request: Request) => string | Promise<string>

function answer(work: Work): RequestHandler {
  return async (request, response) => {
    const text = await work(contextOf(request), request)
    response.status(200).setHeader('Content-Type', scimMediaType)
    response.send(text)
  }
}

/** RFC 7644 §4: a filter on discovery is forbidden, not ignored. */
function unfiltered(context: ScimContext): ScimContext['connection'] {
  if (context.query.has('filter')) throw new Problem(403, undefined, 'Discovery cannot be filtered.')
  return context.connection
}

function found(text: string | undefined): string {
  if (text === undefined) throw new Problem(404, undefined, 'There is nothing with this name.')
  return text
}
