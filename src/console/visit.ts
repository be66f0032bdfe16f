import { Problem } from '../errors.ts'
import type { OperatedConnection } from '../operator/connection.ts'
import type { Operator } from './door.ts'

/** One request of somebody who has signed in. */
export interface Visit {
  readonly operator: Operator
  readonly requestId: string
  readonly query: URLSearchParams
  /** Empty for a GET. */
  readonly form: ReadonlyMap<string, string>
  readonly parameters: Readonly<Record<string, string>>
  /** The next page says it first. */
  say(text: string): void
}

export type Connections = ReadonlyMap<string, OperatedConnection>

/** Those that the operator may see, in the order of the configuration. */
export function visibleTo({ operator }: Pick<Visit, 'operator'>, connections: Connections): OperatedConnection[] {
  return [...connections.values()].filter(({ name }) => operator.connections.includes(name))
}

/** Throws a `Problem` (404), the same for one that there is not and one that the operator may not see. */
export function connectionNamed(visit: Visit, connections: Connections, name: string | undefined): OperatedConnection {
  const connection = connections.get(name ?? '')
  if (connection === undefined || !visit.operator.connections.includes(connection.name)) throw noSuchPage()
  return connection
}

/** The one that the query names; else the first that the operator may see. */
export function chosenConnection(visit: Visit, connections: Connections): OperatedConnection {
  const name = visit.query.get('connection') ?? visit.form.get('connection')
  if (name !== undefined && name !== null && name !== '') return connectionNamed(visit, connections, name)
  const [first] = visibleTo(visit, connections)
  if (first === undefined) throw noSuchPage()
  return first
}

export function noSuchPage(): Problem {
  return new Problem(404, undefined, 'There is no such page.')
}

/** A whole number of the query; undefined: none, or no number. */
export function numberOf(text: string | null | undefined): number | undefined {
  return text !== undefined && text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
