import { type QueryCompiler, type RawBuilder, sql } from './kysely.ts'
import type { Sealer } from './sealing.ts'

export type Value = string | number | null

/** A statement as it is sent. */
export interface Query<Row> {
  readonly sql: string
  /** In the order of its places. */
  readonly parameters: readonly unknown[]
  /** Whose rows it is about. */
  readonly connection?: Value
  /** It may run into a unique index, and the transaction goes on all the same. */
  readonly mayBeTaken?: boolean
  /** Never there: says of which type the rows are. */
  readonly row?: Row
}

/** Executes one statement where it belongs: on the connection for reads, or inside one transaction. */
export interface Run {
  <Row>(query: Query<Row>): Promise<{ rows: Row[] }>
  /**
   * Where the store is not in this process, the answer is not waited for. When it fails, the transaction does: what is asked next
   * throws, or the commit.
   */
  tell(query: Query<unknown>): Promise<void>
  /** How values of people lie in this store. */
  readonly sealer: Sealer
}

type Execute = <Row>(query: Query<Row>) => Promise<{ rows: Row[] }>

export function runWith(sealer: Sealer, execute: Execute, tell: Run['tell'] = answered(execute)): Run {
  return Object.assign(execute, { sealer, tell })
}

function answered(execute: Execute): Run['tell'] {
  return async (query) => {
    await execute(query)
  }
}

/** Writes statements down in the words of one database. They are plain SQL with typed rows: it knows no tables. */
export interface Dialect {
  compile<Row>(statement: RawBuilder<Row>): Query<Row>
}

export function createDialect(compiler: QueryCompiler): Dialect {
  return {
    compile(statement) {
      const { sql: text, parameters } = compiler.compileQuery(statement.toOperationNode(), { queryId: '' })
      return { sql: text, parameters }
    },
  }
}

/** A place in a statement that gets its value with each call. */
export class Slot {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

const bareLimit = /\blimit (?:\?|\$\d+\b)(?! \+ 0)/
const bareType = /\btype = (?:\?|\$\d+\b)(?! \|\| '')/

/**
 * Compiles a statement once. The answer gives it new values without going through the query builder again, which would
 * cost more than the statement itself. A slot may be used several times.
 */
export function statement<Name extends string, Row>(
  dialect: Dialect,
  names: readonly Name[],
  build: (slot: (name: Name) => RawBuilder<unknown>) => RawBuilder<Row>,
): (values: Readonly<Record<Name, Value>>) => Query<Row> {
  const compiled = dialect.compile(build((name) => sql`${new Slot(name)}`))
  if (bareLimit.test(compiled.sql)) throw new TypeError('a limit takes its value through atMost')
  if (bareType.test(compiled.sql)) throw new TypeError('a type takes its value through ofType')
  const known = new Set<string>(names)
  const slots = compiled.parameters.map((parameter) => {
    if (!(parameter instanceof Slot)) throw new TypeError('a statement takes its values through slots only')
    return parameter.name
  })
  const isName = (name: string): name is Name => known.has(name)
  const order = slots.filter(isName)
  const tenant = names.find((name) => name === 'connection')
  return (values) => {
    const parameters = order.map((name) => values[name])
    if (tenant === undefined) return { ...compiled, parameters }
    return { ...compiled, parameters, connection: values[tenant] }
  }
}

/**
 * What stands behind `limit`. A bare value is looked at by SQLite's planner, and the statement is planned anew with each
 * value that it gets: three times the cost of looking a row up.
 */
export function atMost(slot: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${slot} + 0`
}

/**
 * The condition on the column `type`. A bare value is compared by SQLite's planner with the types that indexes are restricted to,
 * and the statement is planned anew with each value, too.
 */
export function ofType(slot: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`type = ${slot} || ''`
}

/** Whoever runs it catches that a name or an account is taken, and goes on. */
export function mayBeTaken<Row>(query: Query<Row>): Query<Row> {
  return { ...query, mayBeTaken: true }
}

/** The texts of a list as one value: a JSON array, so that lists of every length share one statement. */
export function listValue(texts: readonly string[]): string {
  return JSON.stringify(texts.map(storedText))
}

/** Rows that one statement changes: until its end SQLite keeps in memory how every page that it touches was before. */
const changedAtOnce = 1_000

/** `texts` in turns, each a `listValue` that one statement may change rows by. None for none. */
export function* listValues(texts: readonly string[]): Generator<string> {
  for (let first = 0; first < texts.length; first += changedAtOnce) {
    yield listValue(texts.slice(first, first + changedAtOnce))
  }
}

/** A text as the databases give it back: halves of surrogate pairs and NUL are in no stored one. */
export function storedText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** How SQLite says it; other dialects know a list by this text. */
export const listFunction = 'json_each('

/** The rows of `listValue`, with the column `value`. */
export function listRows(slot: RawBuilder<unknown>): RawBuilder<{ value: string }> {
  return sql`json_each(${slot})`
}
