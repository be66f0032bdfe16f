/** The query of a request: each parameter is known, comes once, and is bounded; anything else is refused. */
import { adminMostRows, adminParameterLength, adminRows, queryBytes } from '../limits.ts'
import { AdminProblem } from './problems.ts'

export interface Parameters {
  /** Undefined: not given. */
  text(name: string): string | undefined
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined
  /** Milliseconds since 1970. */
  time(name: string): number | undefined
  /** Rows that a page has. */
  limit(): number
  /** Where a page begins, in a list of this name; undefined: at the beginning. */
  number(list: string): number | undefined
  key(list: string): string | undefined
}

export function readParameters(address: string, known: readonly string[]): Parameters {
  const mark = address.indexOf('?')
  const given = new Map<string, string>()
  if (mark !== -1) {
    if (address.length - mark > queryBytes)
      throw new AdminProblem('uri_too_long', `The query is longer than ${queryBytes} bytes.`)
    for (const [name, value] of new URLSearchParams(address.slice(mark + 1))) {
      if (!known.includes(name))
        throw wrong(`There is no parameter of the name that was sent; there are: ${list(known)}`)
      if (given.has(name)) throw wrong(`${name} is given twice`)
      if (value.length > adminParameterLength) throw wrong(`${name} is longer than ${adminParameterLength} characters`)
      given.set(name, value)
    }
  }
  return parametersOf(given)
}

function parametersOf(given: ReadonlyMap<string, string>): Parameters {
  const text = (name: string) => {
    const value = given.get(name)?.trim()
    return value === '' ? undefined : value
  }
  const cursor = (list: string) => {
    const value = text('cursor')
    return value === undefined ? undefined : readCursor(list, value)
  }
  return {
    text,
    choice(name, choices) {
      const value = text(name)
      const chosen = choices.find((one) => one === value)
      if (value !== undefined && chosen === undefined) throw wrong(`${name} has to be one of: ${choices.join(', ')}`)
      return chosen
    },
    time(name) {
      const value = text(name)
      if (value === undefined) return undefined
      const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/.test(value) ? Date.parse(value) : Number.NaN
      if (Number.isNaN(at)) throw wrong(`${name} has to be a time in UTC such as 2026-03-01T08:00:00Z`)
      return at
    },
    limit() {
      const value = text('limit')
      if (value === undefined) return adminRows
      const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0
      if (limit < 1 || limit > adminMostRows) throw wrong(`limit has to be a number from 1 to ${adminMostRows}`)
      return limit
    },
    number(list) {
      const place = cursor(list)
      if (place !== undefined && typeof place !== 'number') throw foreignCursor()
      return place
    },
    key(list) {
      const place = cursor(list)
      if (place !== undefined && typeof place !== 'string') throw foreignCursor()
      return place
    },
  }
}

/** A place in a list of one connection: it opens nothing, since whoever sends it is asked who they are all the same. */
export function writeCursor(list: string, place: number | string | undefined): string | undefined {
  return place === undefined ? undefined : Buffer.from(JSON.stringify([list, place])).toString('base64url')
}

function readCursor(list: string, text: string): number | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch (cause) {
    throw foreignCursor(cause)
  }
  if (!Array.isArray(parsed) || parsed.length !== 2 || parsed[0] !== list) throw foreignCursor()
  const place: unknown = parsed[1]
  const isPlace = typeof place === 'string' || (typeof place === 'number' && Number.isSafeInteger(place) && place >= 0)
  // Only the one spelling that we write.
  if (!isPlace || writeCursor(list, place) !== text) throw foreignCursor()
  return place
}

function foreignCursor(cause?: unknown): AdminProblem {
  return new AdminProblem('invalid_cursor', 'The cursor is not of this list.', { cause })
}

function list(known: readonly string[]): string {
  return known.length === 0 ? 'none' : known.join(', ')
}

function wrong(text: string): AdminProblem {
  return new AdminProblem('invalid_parameter', `${text}.`)
}
