import type { Clock } from '../clock.ts'
import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import type { Asked } from '../provision/connection.ts'
import type { Provision } from '../provision/provision.ts'
import type { Store, StoredResource } from '../store/store.ts'
import type { ResourceSchema } from './attribute.ts'
import type { Discovery } from './discovery.ts'
import type { IgnoredNames } from './ignored-names.ts'
import type { PageMemory } from './page-memory.ts'

/** Everything that the SCIM layer knows of one connection. */
export interface ScimConnection {
  readonly name: string
  /** Public URL of this connection's SCIM root, without a slash at the end. From the configuration, never from a request. */
  readonly baseUrl: string
  readonly schemas: { readonly user: ResourceSchema; readonly group: ResourceSchema }
  readonly discovery: Discovery
  readonly patch: 'lenient' | 'strict'
  /** What a PATCH of a group is answered with when no attributes are asked for. */
  readonly groupPatchAnswer: 'none' | 'group'
  readonly provision: Provision
  /** Where walks through lists are. */
  readonly pageMemory: PageMemory
  readonly ignored: IgnoredNames
  /** Signs cursors. */
  readonly cursorKey: Buffer
}

/** Where an operation leaves what is not its body: in the answer of its request, or in its line of a bulk. */
export interface Reply {
  setHeader(name: string, value: string): unknown
  /** Runs `work` when the answer was a success and has reached the socket. */
  whenSent(work: () => void): void
}

/** One authenticated request, as the resources see it. */
export interface ScimContext {
  readonly connection: ScimConnection
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly requestId: string
  readonly caller: string
  /** Aborted when the budget of the request is spent. */
  budget(): AbortSignal
  /** Lower-cased parameter name → value. */
  readonly query: ReadonlyMap<string, string>
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly body: JsonObject | undefined
  readonly response: Reply
}

/** A request that comes through the SCIM library's routers. */
export interface RoutedContext extends ScimContext {
  /** What went wrong, for the last error handler. */
  keepProblem(problem: unknown): void
}

export function askedOf({ requestId, caller, budget }: ScimContext): Asked {
  return { requestId, caller, signal: budget() }
}

export function bodyOf(context: ScimContext): JsonObject {
  if (context.body === undefined) throw new Problem(400, 'invalidSyntax', 'The request needs a body: a JSON object.')
  return context.body
}

export function etagOf(version: number): string {
  return `W/"${version}"`
}

/** RFC 7644 §3.14, RFC 9110 §13.1.1: a list of tags, or `*` for "exists". */
export function isExpectedVersion(ifMatch: string | undefined, version: number): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true
  return ifMatch.split(',').some((tag) => tag.trim() === etagOf(version))
}

export function refuseStale(context: ScimContext, stored: StoredResource): void {
  if (isExpectedVersion(context.ifMatch, stored.version)) return
  throw new Problem(
    412,
    undefined,
    'The resource was changed meanwhile (If-Match does not fit its version); read it again.',
  )
}

/** 304 for a client that has this version already. RFC 9110 §13.1.2: compared weakly, `"7"` is `W/"7"`. */
export function answerIfUnchanged(context: ScimContext, version: number): void {
  const { ifNoneMatch } = context
  if (ifNoneMatch === undefined) return
  if (!isExpectedVersion(ifNoneMatch.replace(/(?<!W\/)"\d+"/g, 'W/$&'), version)) return
  throw new Problem(304, undefined, 'not modified', { headers: { ETag: etagOf(version) } })
}

export function notFound(type: 'User' | 'Group'): Problem {
  return new Problem(404, undefined, `There is no ${type} with this id.`)
}
