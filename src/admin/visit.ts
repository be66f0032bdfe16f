import type { AdminCaller } from '../access.ts'
import type { Clock } from '../clock.ts'
import type { JsonObject } from '../json.ts'
import type { OperatedConnection, OperatedStore } from '../operator/connection.ts'
import type { Parameters } from './parameters.ts'
import { AdminProblem } from './problems.ts'

export interface AdminOptions {
  readonly connections: ReadonlyMap<string, OperatedConnection>
  readonly store: OperatedStore
  readonly clock: Clock
  /** What has come together of requests is written down, and can be read. */
  flushRequests(): Promise<void>
}

/** One request of somebody who may make it. */
export interface AdminVisit {
  readonly caller: AdminCaller
  readonly requestId: string
  /** Of the path, decoded. */
  readonly path: ReadonlyMap<string, string>
  readonly query: Parameters
  /** Empty for a GET. */
  readonly body: JsonObject
}

/** Throws 404, the same for one that there is not and one that the caller may not see. */
export function connectionOf(
  { path, caller }: Pick<AdminVisit, 'path' | 'caller'>,
  { connections }: Pick<AdminOptions, 'connections'>,
): OperatedConnection {
  const name = path.get('connection') ?? ''
  const connection = connections.get(name)
  if (connection === undefined || !caller.roles.has(name)) throw noSuch('connection')
  return connection
}

export function noSuch(what: string): AdminProblem {
  return new AdminProblem('not_found', `There is no such ${what}.`)
}
