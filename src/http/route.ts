import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { Problem } from '../errors.ts'
import { pathBytes } from '../limits.ts'
import { stateOf } from './request-state.ts'

const collection = ['GET', 'POST']
const item = ['GET', 'PUT', 'PATCH', 'DELETE']
const read = ['GET']
const anything = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Path below `/{connection}/scim/v2` → methods. `*` stands for one segment. */
const table: ReadonlyMap<string, readonly string[]> = new Map([
  ['Users', collection],
  ['Users/*', item],
  ['Users/.search', ['POST']],
  ['Groups', collection],
  ['Groups/*', item],
  ['Groups/.search', ['POST']],
  ['.search', ['POST']],
  ['Bulk', ['POST']],
  ['Me', anything],
  ['ServiceProviderConfig', read],
  ['Schemas', read],
  ['Schemas/*', read],
  ['ResourceTypes', read],
  ['ResourceTypes/*', read],
])

/** Lower-cased name → the name. Microsoft's own tests ask for `/users`, and no two endpoints differ in their letters' case alone. */
const endpoints: ReadonlyMap<string, string> = new Map(
  [...table.keys()].flatMap((path) => (path.includes('/') ? [] : [[path.toLowerCase(), path]])),
)

/** Nearly every request: nothing in it needs decoding. */
const plainResource = /^\/(Users|Groups)(?:\/([A-Za-z0-9-]{1,64}))?\/?$/

/** Decides whether there is such an endpoint before anything else is looked at; the routers behind would answer with texts of their own. */
export const route: RequestHandler = (request, response, next) => {
  const resource = plainResource.exec(request.path)
  const plainName = resource === null ? undefined : resource[2] === undefined ? resource[1] : `${resource[1]}/*`
  if (plainName !== undefined) return allow(plainName, request, response, next)
  if (Buffer.byteLength(request.originalUrl.split('?', 1)[0] ?? '') > pathBytes) {
    throw new Problem(404, undefined, 'There is no endpoint with such a long path.')
  }
  const segments = request.path.split('/').slice(1)
  if (segments.at(-1) === '') segments.pop()
  for (const segment of segments) {
    try {
      decodeURIComponent(segment)
    } catch {
      throw new Problem(400, 'invalidSyntax', 'The path is not percent-encoded UTF-8.')
    }
  }
  const [sent = '', ...rest] = segments
  const endpoint = endpoints.get(sent.toLowerCase()) ?? sent
  // Everything behind reads the path again, and knows the names of the table only.
  if (endpoint !== sent) request.url = `/${endpoint}${request.url.slice(1 + sent.length)}`
  const exact = [endpoint, ...rest].join('/')
  const name = table.has(exact) ? exact : rest.length === 1 && rest[0] !== '' ? `${endpoint}/*` : ''
  allow(name, request, response, next)
}

function allow(name: string, request: Request, response: Response, next: NextFunction): void {
  const methods = table.get(name)
  if (methods === undefined) throw new Problem(404, undefined, 'There is no such endpoint.')
  stateOf(response).route = name
  if (!methods.includes(request.method)) {
    throw new Problem(405, undefined, `${request.method} is not offered here.`, {
      headers: { Allow: methods.join(', ') },
    })
  }
  next()
}
