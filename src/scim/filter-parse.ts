/**
 * Text → tree, by recursive descent, without backtracking:
 *
 *     filter = and { "or" and }       and = unary { "and" unary }       unary = [ "not" ] "(" filter ")" | test
 *     test   = path "pr" | path op value | name "[" filter "]" [ "." sub ( "pr" | op value ) ]
 *
 * The last form is Entra's: `emails[type eq "work"].value eq "ada@uni.example"`. Everything that is wrong is 400
 * `invalidFilter` and names the column.
 */
import { filterBytes, filterComparisons, filterDepth } from '../limits.ts'
import type { AttributeDefinition, ResourceSchema } from './attribute.ts'
import { filterProblem, scanToken, type Token } from './filter-scan.ts'
import { definitionOf, type Filter, implicitName, type Target } from './filter-tree.ts'
import { checkOperator, toOperator, toValue } from './filter-value.ts'
import { resolveName } from './names.ts'

type Resolve = (name: string, at: number) => Target

interface Parser {
  readonly text: string
  /** The token to be looked at, and where the one after it may start. */
  token: Token
  next: number
  comparisons: number
  depth: number
}

/** The `filter` parameter of a list. `others` are the schemas that are listed beside this one: their names are known, too. */
export function parseFilter(text: string, schema: ResourceSchema, others: readonly ResourceSchema[] = []): Filter {
  return parseWhole(text, (name, at) => resolveTarget(schema, others, name, at))
}

/** What stands between `[` and `]` of a PATCH path; `attribute` is the one before the bracket. */
export function parseValueFilter(text: string, attribute: AttributeDefinition): Filter {
  return parseWhole(text, partsOf({ extension: undefined, attribute, sub: undefined }, 0))
}

function parseWhole(text: string, resolve: Resolve): Filter {
  if (text.length > filterBytes || Buffer.byteLength(text) > filterBytes) {
    throw filterProblem(filterBytes, `it is longer than ${filterBytes} bytes`)
  }
  const { token, next } = scanToken(text, 0)
  const parser: Parser = { text, token, next, comparisons: 0, depth: 0 }
  const filter = parseOr(parser, resolve)
  if (parser.token.kind !== 'end') throw filterProblem(parser.token.at, "'and', 'or' or the end is expected")
  return filter
}

function parseOr(parser: Parser, resolve: Resolve): Filter {
  return parseList(parser, 'or', () => parseList(parser, 'and', () => parseUnary(parser, resolve)))
}

function parseList(parser: Parser, kind: 'and' | 'or', parsePart: () => Filter): Filter {
  const parts = [parsePart()]
  while (isWord(parser.token, kind)) {
    advance(parser)
    parts.push(parsePart())
  }
  return join(kind, parts)
}

/** A list in a list of its own kind means the same as one list. */
function join(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]))
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : { kind, parts: flat }
}

function parseUnary(parser: Parser, resolve: Resolve): Filter {
  if (isWord(parser.token, 'not')) {
    enter(parser)
    advance(parser)
    if (parser.token.kind !== '(') throw filterProblem(parser.token.at, "'not' needs a bracket after it")
    const part = parseBracket(parser, resolve)
    parser.depth--
    return { kind: 'not', part }
  }
  return parser.token.kind === '(' ? parseBracket(parser, resolve) : parseTest(parser, resolve)
}

function parseBracket(parser: Parser, resolve: Resolve): Filter {
  enter(parser)
  const { at } = advance(parser)
  const filter = parseOr(parser, resolve)
  if (parser.token.kind !== ')')
    throw filterProblem(parser.token.at, `the bracket of column ${at + 1} is not closed here`)
  advance(parser)
  parser.depth--
  return filter
}

function parseTest(parser: Parser, resolve: Resolve): Filter {
  const name = advance(parser)
  if (name.kind !== 'word') throw filterProblem(name.at, 'an attribute name is expected')
  const target = resolve(name.text, name.at)
  return parser.token.kind === '[' ? parseSome(parser, target, name.at) : parseCondition(parser, target)
}

/** `pr`, or an operator and a value. */
function parseCondition(parser: Parser, target: Target): Filter {
  parser.comparisons++
  const { token } = parser
  if (parser.comparisons > filterComparisons)
    throw filterProblem(token.at, `more than ${filterComparisons} comparisons`)
  if (isWord(token, 'pr')) {
    advance(parser)
    return { kind: 'present', target }
  }
  const operator = token.kind === 'word' ? toOperator(token.text) : undefined
  if (operator === undefined) throw filterProblem(token.at, 'pr, eq, ne, co, sw, ew, gt, ge, lt or le is expected')
  const compared = { ...target, sub: target.sub ?? target.attribute.sub?.get('value') }
  const definition = definitionOf(compared)
  if (definition.type === 'complex') throw filterProblem(token.at, `name the part of ${definition.name} to be compared`)
  checkOperator(operator, definition, token.at)
  advance(parser)
  return { kind: 'compare', operator, target: compared, value: toValue(advance(parser), operator, definition) }
}

/** `name[…]`, whose conditions all hold for one value, and perhaps `.sub` with one more condition on that value. */
function parseSome(parser: Parser, target: Target, at: number): Filter {
  const resolve = partsOf(target, at)
  enter(parser)
  advance(parser)
  const inner = parseOr(parser, resolve)
  const end = parser.token
  if (end.kind !== ']') throw filterProblem(end.at, "']' is expected")
  advance(parser)
  parser.depth--
  const { token } = parser
  if (token.kind !== 'word' || token.at !== end.at + 1 || !token.text.startsWith('.')) {
    return { kind: 'some', target, part: inner }
  }
  advance(parser)
  const further = parseCondition(parser, resolve(token.text.slice(1), token.at))
  return { kind: 'some', target, part: join('and', [inner, further]) }
}

function resolveTarget(schema: ResourceSchema, others: readonly ResourceSchema[], name: string, at: number): Target {
  const resolved = resolveName(schema, name) ?? others.map((other) => resolveName(other, name)).find(Boolean)
  if (resolved?.attribute === undefined) throw filterProblem(at, `${schema.type} has no attribute of this name`)
  const { extension, attribute, sub } = resolved
  if (attribute.returned === 'never') throw filterProblem(at, `${attribute.name} cannot be searched`)
  // Put together when a resource is read; the store cannot search it.
  if (extension?.isReadOnly) throw filterProblem(at, `attributes of ${extension.urn} cannot be searched`)
  return { extension, attribute, sub }
}

/** Names inside `[…]`: the sub-attributes, or `value` for the values of a simple multi-valued attribute. */
function partsOf({ attribute, sub }: Target, at: number): Resolve {
  const hasParts = sub === undefined && (attribute.sub !== undefined || attribute.multiValued)
  if (!hasParts)
    throw filterProblem(at, `${definitionOf({ extension: undefined, attribute, sub }).name} has no parts for '['`)
  const implicit = { ...attribute, name: implicitName, multiValued: false }
  return (name, partAt) => {
    const key = name.toLowerCase()
    const part = attribute.sub === undefined ? (key === implicitName ? implicit : undefined) : attribute.sub.get(key)
    if (part === undefined) throw filterProblem(partAt, `${attribute.name} has no part of this name`)
    return { extension: undefined, attribute: part, sub: undefined }
  }
}

/** Consumes the token and returns it. */
function advance(parser: Parser): Token {
  const consumed = parser.token
  const { token, next } = scanToken(parser.text, parser.next)
  parser.token = token
  parser.next = next
  return consumed
}

function enter(parser: Parser): void {
  parser.depth++
  if (parser.depth > filterDepth) throw filterProblem(parser.token.at, `more than ${filterDepth} levels of brackets`)
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.length === word.length && token.text.toLowerCase() === word
}
