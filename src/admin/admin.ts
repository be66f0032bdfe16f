/**
 * The operator's pages for programs: the same reads and actions as JSON, for scripts and runbooks. A bearer token says who asks;
 * the cookie of a session is never looked at, so that no other site's page can do anything here.
 */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import type { AdminCaller, AdminRole } from '../access.ts'
import type { JsonObject } from '../json.ts'
import { adminBodyBytes, pathBytes } from '../limits.ts'
import type { Log } from '../log.ts'
import { readParameters } from './parameters.ts'
import { AdminProblem, adminProblemOf, problemBody, problemMediaType } from './problems.ts'
import { type AdminRoute, createAdminRoutes } from './routes.ts'
import { type AdminOptions, connectionOf, noSuch } from './visit.ts'

export interface Admin {
  /** Behind authentication; a body is read here, once it is known that the caller may send one. */
  readonly serve: RequestHandler
  readonly lastError: ErrorRequestHandler
}

export interface AdminSurroundings extends AdminOptions {
  readonly log: Log
  callerOf(response: Response): AdminCaller
  requestIdOf(response: Response): string
  /** For log and metrics: a name of the table, never a path with an id. */
  noteRoute(response: Response, route: string): void
  readJson(request: Request, types: ReadonlySet<string>, limit: number): Promise<JsonObject>
}

const bodyTypes: ReadonlySet<string> = new Set(['application/json'])
/** Each may what those before it may. */
const ranks: readonly AdminRole[] = ['monitor', 'read', 'operate']

export function createAdmin(surroundings: AdminSurroundings): Admin {
  const { callerOf, requestIdOf, noteRoute, readJson, log } = surroundings
  const routes = createAdminRoutes(surroundings).map((route) => ({ ...route, segments: segmentsOf(route.path) }))

  /** Throws 404 or 405. */
  function find(request: Request): { route: AdminRoute; path: ReadonlyMap<string, string> } {
    const [sent = ''] = request.url.split('?', 1)
    if (Buffer.byteLength(sent) > pathBytes) throw noSuch('endpoint')
    const segments = segmentsOf(sent)
    const fitting = routes.flatMap((route) => {
      const path = match(route.segments, segments)
      return path === undefined ? [] : [{ route, path }]
    })
    if (fitting.length === 0) throw noSuch('endpoint')
    const found = fitting.find(({ route }) => route.method === request.method)
    if (found !== undefined) return found
    const Allow = fitting.map(({ route }) => route.method).join(', ')
    throw new AdminProblem('method_not_allowed', `${request.method} is not offered here.`, { headers: { Allow } })
  }

  return {
    async serve(request, response) {
      const { route, path } = find(request)
      noteRoute(response, `admin${route.path.replaceAll(/\{\w+\}/g, '*')}`)
      const caller = callerOf(response)
      assertRole(caller, route, path.has('connection') ? connectionOf({ path, caller }, surroundings).name : undefined)
      const query = readParameters(request.url, route.parameters)
      const body = route.method === 'POST' ? await readJson(request, bodyTypes, adminBodyBytes) : {}
      const answer = await route.work({ caller, requestId: requestIdOf(response), path, query, body })
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(answer))
    },
    lastError(error, _request, response, _next) {
      const problem = adminProblemOf(error)
      const requestId = requestIdOf(response)
      if (problem.status >= 500)
        log.error({ requestId, err: problem.cause ?? problem }, 'a request of an operator failed')
      if (response.headersSent) {
        response.destroy()
        return
      }
      for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
      response.status(problem.status).setHeader('Content-Type', problemMediaType)
      response.end(JSON.stringify(problemBody(problem, requestId)))
    },
  }
}

/** `connection` undefined: the answer is about those that the caller may see, and there is one at least. */
function assertRole({ roles }: AdminCaller, { role: needed }: AdminRoute, connection: string | undefined): void {
  const role = connection === undefined ? undefined : roles.get(connection)
  if (connection === undefined || (role !== undefined && ranks.indexOf(role) >= ranks.indexOf(needed))) return
  throw new AdminProblem('insufficient_role', `This needs a token with the role ${needed}.`, {
    headers: { 'WWW-Authenticate': 'Bearer realm="scim-bridge", error="insufficient_scope"' },
  })
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1)
}

/** Undefined: another path. Throws 404 for one that is not percent-encoded UTF-8. */
function match(template: readonly string[], sent: readonly string[]): ReadonlyMap<string, string> | undefined {
  if (template.length !== sent.length) return undefined
  const path = new Map<string, string>()
  for (const [index, part] of template.entries()) {
    const segment = sent[index] ?? ''
    if (!part.startsWith('{')) {
      if (part !== segment) return undefined
    } else if (segment === '') return undefined
    else path.set(part.slice(1, -1), decoded(segment))
  }
  return path
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    if (cause instanceof URIError) throw noSuch('endpoint')
    throw cause
  }
}
