import type { RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import { queryBytes } from '../limits.ts'

/** Parameters that SCIM knows; others are ignored, as RFC 7644 asks of servers. */
const known = new Set([
  'filter',
  'startindex',
  'count',
  'attributes',
  'excludedattributes',
  'sortby',
  'sortorder',
  'cursor',
])

/**
 * Our own reading of the query, into `locals.query`: names in any letter case, `+` and `%20` as blanks, a repeated parameter refused.
 * `request.query` stays empty (the app's query parser is off): nothing behind may read it.
 */
export const query: RequestHandler = (request, response, next) => {
  const url = request.originalUrl
  const mark = url.indexOf('?')
  const parameters = new Map<string, string>()
  if (mark !== -1) {
    if (url.length - mark > queryBytes) {
      throw new Problem(414, undefined, `The query is longer than ${queryBytes} bytes; POST it to .search.`)
    }
    for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
      const lower = name.toLowerCase()
      if (!known.has(lower)) continue
      if (parameters.has(lower)) throw new Problem(400, 'invalidValue', `The parameter ${lower} is given twice.`)
      parameters.set(lower, value)
    }
  }
  response.locals.query = parameters
  next()
}
