/** Cuts a filter into tokens, one pass, without regular expressions: what a stranger sends must not cost more than it is long. */
import { Problem } from '../errors.ts'

export type Token =
  /** Names, operators, keywords, numbers: everything up to a blank, bracket or quote. */
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'text'; readonly value: string; readonly at: number }
  | { readonly kind: '(' | ')' | '[' | ']' | 'end'; readonly at: number }

/** `at` counts UTF-16 units from 0; people count columns from 1. */
export function filterProblem(at: number, message: string): Problem {
  return new Problem(400, 'invalidFilter', `The filter is wrong at column ${at + 1}: ${message}`)
}

/** The token that starts at or after `from`, and where the next one may start. */
export function scanToken(filter: string, from: number): { token: Token; next: number } {
  let at = from
  while (isBlank(filter.charCodeAt(at))) at++
  const first = filter[at]
  if (first === undefined) return { token: { kind: 'end', at }, next: at }
  if (first === '(' || first === ')' || first === '[' || first === ']') {
    return { token: { kind: first, at }, next: at + 1 }
  }
  if (first === '"') return scanText(filter, at)
  let end = at
  while (isWordUnit(filter.charCodeAt(end))) end++
  if (end === at) throw filterProblem(at, 'this character is possible only within quotes')
  return { token: { kind: 'word', text: filter.slice(at, end), at }, next: end }
}

function scanText(filter: string, at: number): { token: Token; next: number } {
  let end = at + 1
  for (; ; end++) {
    const unit = filter.charCodeAt(end)
    if (Number.isNaN(unit)) throw filterProblem(at, 'the closing quote is missing')
    if (unit === 0x22) break
    // A backslash takes the next unit with it, a quote too.
    if (unit === 0x5c) end++
  }
  return { token: { kind: 'text', value: unquote(filter.slice(at, end + 1), at), at }, next: end + 1 }
}

function unquote(quoted: string, at: number): string {
  try {
    const value: unknown = JSON.parse(quoted)
    if (typeof value === 'string') return value
  } catch {
    // Said below, without the parser's own words: they would repeat the text.
  }
  throw filterProblem(at, 'the text in quotes is not valid JSON; write \\" and \\\\ for quotes and backslashes')
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d
}

/** Visible ASCII except brackets and quotes. `NaN`, the end, is none. */
function isWordUnit(unit: number): boolean {
  return unit > 0x20 && unit < 0x7f && unit !== 0x22 && unit !== 0x28 && unit !== 0x29 && unit !== 0x5b && unit !== 0x5d
}
