/** Which operators and values fit which attributes (RFC 7644 §3.4.2.2), decided once, when a filter is parsed. */
import type { AttributeDefinition } from './attribute.ts'
import { filterProblem, type Token } from './filter-scan.ts'
import type { Comparison, Operator } from './filter-tree.ts'
import { parseInstant } from './instant.ts'

const operators: ReadonlyMap<string, Operator> = new Map(
  (['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const).map((operator) => [operator, operator]),
)
const orderings: ReadonlySet<Operator> = new Set(['gt', 'ge', 'lt', 'le'])
const substrings: ReadonlySet<Operator> = new Set(['co', 'sw', 'ew'])

export function toOperator(word: string): Operator | undefined {
  return operators.get(word.toLowerCase())
}

/** Throws 400 `invalidFilter` when the operator makes no sense for the attribute. `at` is where the operator stands. */
export function checkOperator(operator: Operator, { name, type }: AttributeDefinition, at: number): void {
  const isText = type === 'string' || type === 'reference' || type === 'binary'
  // RFC 7644 Table 3: ordering booleans or binaries fails with invalidFilter.
  if (orderings.has(operator) && (type === 'boolean' || type === 'binary')) {
    throw filterProblem(at, `'${operator}' cannot compare ${name}, which has no order`)
  }
  if (substrings.has(operator) && !isText)
    throw filterProblem(at, `'${operator}' cannot search ${name}, which is no text`)
}

/** The token as a value of the attribute's type. Throws 400 `invalidFilter`. */
export function toValue(token: Token, operator: Operator, { name, type }: AttributeDefinition): Comparison['value'] {
  const literal = toLiteral(token, operator)
  if (literal === null) {
    if (operator === 'eq' || operator === 'ne') return null
    throw filterProblem(token.at, `'${operator}' cannot compare with null; use eq, ne or pr`)
  }
  if (type === 'boolean') {
    if (typeof literal === 'boolean') return literal
    // Entra quotes its booleans: "True".
    const word = typeof literal === 'string' ? literal.toLowerCase() : undefined
    if (word === 'true' || word === 'false') return word === 'true'
    throw filterProblem(token.at, `${name} is compared with true or false`)
  }
  if (type === 'decimal' || type === 'integer') {
    const number = typeof literal === 'string' ? toNumber(literal) : literal
    if (typeof number === 'number') return number
    throw filterProblem(token.at, `${name} is compared with a number`)
  }
  if (typeof literal !== 'string') throw filterProblem(token.at, `${name} is compared with a text in quotes`)
  if (type === 'dateTime' && parseInstant(literal) === undefined) {
    throw filterProblem(token.at, `${name} is compared with a time such as "2026-01-31T12:00:00Z"`)
  }
  return literal
}

function toLiteral(token: Token, operator: Operator): Comparison['value'] {
  if (token.kind === 'text') return token.value
  if (token.kind === 'word') {
    const word = token.text.toLowerCase()
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    const number = toNumber(word)
    if (number !== undefined) return number
    throw filterProblem(token.at, 'a text has to be in quotes')
  }
  throw filterProblem(token.at, `a value is expected after '${operator}'`)
}

/** A finite JSON number. */
function toNumber(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text)
    // -0 is 0: they are equal, and only one of them prints and parses as itself.
    if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  } catch {
    // Not JSON, so no number.
  }
  return undefined
}
