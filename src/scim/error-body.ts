/** What a client sees of an error (RFC 7644 §3.12): of our own `Problem`s what they say, of anything else nothing. */
import { Problem } from '../errors.ts'
import { StoreUnavailable } from '../store/store.ts'

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error'

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreUnavailable) {
    return new Problem(503, undefined, "The bridge's store is not available; try again.", {
      cause: error,
      headers: { 'Retry-After': '30' },
    })
  }
  if (error instanceof URIError) return new Problem(400, 'invalidSyntax', 'The path is not percent-encoded UTF-8.')
  return new Problem(500, undefined, 'internal error', { cause: error })
}

export function errorBody(problem: Problem, requestId: string): object {
  return {
    schemas: [errorUrn],
    status: String(problem.status),
    ...(problem.scimType === undefined ? {} : { scimType: problem.scimType }),
    detail: `${problem.message} (request ${requestId})`,
  }
}
