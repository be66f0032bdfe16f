import { Problem } from '../errors.ts'
import type { Json } from '../json.ts'
import { valuesPerAttribute } from '../limits.ts'

/** 400 `invalidValue`. `where` is the attribute as the client knows it (`emails.primary`), `advice` what is wrong and what to send. */
export function badValue(where: string, advice: string): Problem {
  return new Problem(400, 'invalidValue', `${where} ${advice}`)
}

/** 400 `mutability`: the attribute is the server's to write. */
export function readOnlyProblem(where: string): Problem {
  return new Problem(400, 'mutability', `${where} is read-only; leave it out of the request.`)
}

/** The kind of a value, for messages; never the value itself. */
export function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'true or false' : 'a number'
}

export function tooManyValues(where: string): Problem {
  return badValue(where, `has more than ${valuesPerAttribute} values; send fewer.`)
}

export function sentTwice(where: string): Problem {
  return badValue(where, 'is sent twice with different values; send it once.')
}

/** RFC 7643 §2.4. */
export function twoPrimaries(where: string): Problem {
  return badValue(where, 'has more than one primary value; mark only one as primary.')
}
