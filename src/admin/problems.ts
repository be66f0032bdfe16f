/** The closed list of what the admin API answers that is not a success (RFC 9457), each with what to do about it. */
import { Problem } from '../errors.ts'
import { NotDone, type NotDoneCode } from '../provision/operator-order.ts'
import { StoreUnavailable } from '../store/store.ts'

export const problemMediaType = 'application/problem+json'

interface ProblemRule {
  readonly status: number
  readonly title: string
  readonly whatToDo: string
}

const ofRequests = {
  unauthenticated: {
    status: 401,
    title: 'The request has no valid token',
    whatToDo:
      'Send "Authorization: Bearer …" with a token of the role operate, read or monitor; the log has the reason.',
  },
  insufficient_role: {
    status: 403,
    title: 'The token was given another role',
    whatToDo: 'Make a token with the role that this needs: scim-bridge token create --role operate.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    whatToDo: 'Look at the address; a token sees its own connection only.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not offered here',
    whatToDo: 'Use one of the methods of the header Allow.',
  },
  invalid_parameter: {
    status: 400,
    title: 'A parameter of the query is wrong',
    whatToDo: 'Correct or leave out the parameter that detail names.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not of this list',
    whatToDo: 'Begin without a cursor, and take each next one from the answer.',
  },
  invalid_body: {
    status: 400,
    title: 'The body is wrong',
    whatToDo: 'Send a JSON object with the names that docs/admin-openapi.yaml lists, and no other.',
  },
  body_too_large: { status: 413, title: 'The body is too large', whatToDo: 'Send less.' },
  uri_too_long: { status: 414, title: 'The query is too long', whatToDo: 'Send shorter parameters.' },
  unsupported_media_type: {
    status: 415,
    title: 'The body is of another type',
    whatToDo: 'Send application/json, not compressed.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    whatToDo: 'Wait as long as Retry-After says, and go slower.',
  },
  unavailable: {
    status: 503,
    title: 'The bridge cannot answer at the moment',
    whatToDo: 'Wait as long as Retry-After says; if it lasts, look at /readyz and the log.',
  },
  internal_error: {
    status: 500,
    title: 'The bridge could not do this',
    whatToDo: 'Look for the request id in the log of the bridge, and report the defect.',
  },
} as const satisfies Readonly<Record<string, ProblemRule>>

/** Of actions: nothing was changed. */
const ofActions: Readonly<Record<NotDoneCode, ProblemRule>> = {
  bad_order: {
    status: 400,
    title: 'The order cannot be written into the audit',
    whatToDo: 'Give a reason (why) in one line.',
  },
  no_user: { status: 404, title: 'There is no such user', whatToDo: 'Search for the person, and use the id.' },
  nothing_unfinished: {
    status: 409,
    title: 'Nothing is unfinished',
    whatToDo: 'There is nothing to do; to write everything again, use reapply.',
  },
  unfinished: { status: 409, title: 'Work is unfinished', whatToDo: 'Wait until it is done, or retry it.' },
  unfinished_departure: {
    status: 409,
    title: 'A departure is unfinished',
    whatToDo: 'Wait or retry; with "force": true the account is let go all the same.',
  },
  held: { status: 409, title: 'The work is held', whatToDo: 'Release it first.' },
  not_held: { status: 409, title: 'Nothing is held', whatToDo: 'To have failed work tried again, use retry.' },
  no_account: {
    status: 409,
    title: 'The user has no account',
    whatToDo: 'Retry to have one made, or link one with adopt.',
  },
  linked: { status: 409, title: 'The user has an account', whatToDo: 'Unlink it first.' },
  linked_elsewhere: {
    status: 409,
    title: 'The account belongs to another user',
    whatToDo: 'Unlink it there first.',
  },
  protected: {
    status: 409,
    title: 'The account is protected',
    whatToDo: "Choose another account, or change the mapping's protect.",
  },
  no_such_account: {
    status: 409,
    title: 'The platform has no such account',
    whatToDo: "Look up the platform's id of the account.",
  },
  forbidden: {
    status: 409,
    title: 'The platform does not let the bridge take this account',
    whatToDo: 'Do as detail says.',
  },
  platform_away: {
    status: 503,
    title: 'The platform could not be asked',
    whatToDo: 'Try again when it is back; scim-bridge check says what is the matter.',
  },
}

export type ProblemCode = keyof typeof ofRequests | NotDoneCode

export const problemRules: ReadonlyMap<string, ProblemRule> = new Map(Object.entries({ ...ofRequests, ...ofActions }))

/** Of what is away for a while, where nobody knows better. */
const later = { 'Retry-After': '30' }

/** One of the list. `message`: what is wrong this time. */
export class AdminProblem extends Problem {
  readonly code: ProblemCode
  constructor(
    code: ProblemCode,
    message: string,
    options?: ErrorOptions & { headers?: Readonly<Record<string, string>> },
  ) {
    const status = problemRules.get(code)?.status ?? 500
    super(status, undefined, message, { headers: status === 503 ? later : {}, ...options })
    this.name = 'AdminProblem'
    this.code = code
  }
}

/** Of problems that come from the way in, and from reading a body. */
const codesByStatus: ReadonlyMap<number, ProblemCode> = new Map([
  [400, 'invalid_body'],
  [401, 'unauthenticated'],
  [403, 'insufficient_role'],
  [413, 'body_too_large'],
  [415, 'unsupported_media_type'],
  [429, 'too_many_requests'],
  [503, 'unavailable'],
])

/** Our own texts are shown; of any other error nothing. */
export function adminProblemOf(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error
  if (error instanceof NotDone) {
    return new AdminProblem(error.code, `Nothing was done: ${error.message}.`, { cause: error })
  }
  if (error instanceof Problem) {
    const code = codesByStatus.get(error.status)
    if (code !== undefined) return new AdminProblem(code, error.message, { cause: error, headers: error.headers })
  }
  if (error instanceof StoreUnavailable) {
    return new AdminProblem('unavailable', "The bridge's store is not available.", { cause: error })
  }
  return new AdminProblem('internal_error', 'The log of the bridge has the reason.', { cause: error })
}

/** RFC 9457 §3.1, with `code`, `whatToDo` and the id that the log has. */
export function problemBody({ code, message }: AdminProblem, requestId: string): object {
  const rule = problemRules.get(code)
  return {
    type: `urn:scim-bridge:problem:${code}`,
    title: rule?.title,
    status: rule?.status,
    detail: message,
    instance: `urn:uuid:${requestId}`,
    code,
    whatToDo: rule?.whatToDo,
  }
}
