/** List 9.1: the faults of the matrix, by number, and what one attempt may make of each. */
import type { ErrorKind } from '../../src/errors.ts'
import type { FaultRequest } from '../../src/sandbox/simulator.ts'

export type Position = 'find' | 'write' | 'read-back'
export const positions: readonly Position[] = ['find', 'write', 'read-back']

/**
 * What became of the first attempt; `applied`: the fault was overcome within it, and the state was read; `drifted`: the
 * account is off as wanted, and other values were left.
 */
export type Seen = ErrorKind | 'applied' | 'drifted'

export interface MatrixFault {
  readonly number: number
  readonly name: string
  readonly request: FaultRequest
  /** Seen when a call that reads, or one that writes, is struck. Undefined: there is no such cell. */
  readonly read: readonly Seen[] | undefined
  readonly write: readonly Seen[] | undefined
  /** Ends by the attempt's deadline, in real time. */
  readonly isSlow?: true
  /** Bounds of `Retry-After` towards the identity provider, in seconds; default 5 to 3,600. */
  readonly retryAfter?: readonly [number, number]
}

const unknown: readonly Seen[] = ['unknown']
/** EthosCE leads everybody to its front page during maintenance. */
const redirected: readonly Seen[] = ['broken', 'busy']
const unreadable: readonly Seen[] = ['broken', 'unknown']
const busy: readonly Seen[] = ['busy']

function fault(
  number: number,
  name: string,
  request: FaultRequest,
  read: readonly Seen[] | undefined,
  write: readonly Seen[] | undefined,
  more: Pick<MatrixFault, 'isSlow' | 'retryAfter'> = {},
): MatrixFault {
  return { number, name, request, read, write, ...more }
}

const both = (number: number, name: string, request: FaultRequest, seen: readonly Seen[], more = {}) =>
  fault(number, name, request, seen, seen, more)

const answer = (body: string, more: Partial<FaultRequest> = {}): FaultRequest => ({ mode: 'answer', body, ...more })
const told = (retryAfter: string): FaultRequest => ({ mode: '429', retryAfter })
const inTenMinutes = () => new Date(Date.now() + 600_000).toUTCString()
const inTenYears = () => new Date(Date.now() + 10 * 365 * 24 * 3_600_000).toUTCString()

/** As many rows as we ask for at a time: there seems to be more. */
const fullPage = JSON.stringify(Array.from({ length: 100 }, (_, index) => ({ id: index + 1 })))

/** Everything but 1 (nobody listens) and 16 (the search), which no answer can show. `trap`: where redirects lead. */
export function matrixFaults(trap: string): readonly MatrixFault[] {
  return [
    both(2, 'never answers', { mode: 'hang' }, unknown, { isSlow: true }),
    both(3, 'acts, then never answers', { mode: 'hang-after' }, unknown, { isSlow: true }),
    both(4, 'resets before reading', { mode: 'reset-before' }, unknown),
    both(5, 'acts, then resets', { mode: 'reset-after' }, unknown),
    both(6, 'resets within the headers', { mode: 'reset-in-headers' }, unknown),
    // An answer without a body, 204, is whole all the same.
    fault(7, 'sends less than it announced', { mode: 'truncated' }, unknown, ['unknown', 'applied']),
    both(8, 'is busy for 7 seconds', told('7'), busy, { retryAfter: [7, 7] }),
    both(8, 'is busy until a date', told(inTenMinutes()), busy, { retryAfter: [30, 601] }),
    both(8, 'is busy for a nonsensical time', told('soon'), busy),
    both(8, 'is busy for −1 seconds', told('-1'), busy),
    both(8, 'is busy for ten years', told(inTenYears()), busy, { retryAfter: [3_600, 3_600] }),
    both(8, 'is busy and does not say how long', { mode: '429' }, busy),
    both(9, 'fails with 500', { mode: '500' }, unknown),
    both(9, 'acts and fails with 500', { mode: '500-after' }, unknown),
    both(9, 'fails with 502', answer('', { status: 502 }), unknown),
    both(9, 'acts and fails with 502', answer('', { status: 502, isDone: true }), unknown),
    both(9, 'fails with 503', answer('', { status: 503 }), unknown),
    both(9, 'acts and fails with 503', answer('', { status: 503, isDone: true }), unknown),
    both(9, 'fails with 503 and a time', { mode: '503', retryAfter: '30' }, busy, { retryAfter: [30, 30] }),
    both(10, 'answers with a page', { mode: 'html' }, unreadable),
    both(10, 'answers with nothing', answer(''), unreadable),
    both(10, 'answers with half a document', answer('{"id": 1, "na'), unreadable),
    both(10, 'answers with null', answer('null'), unreadable),
    both(10, 'answers with a list of a number', answer('[17]'), unreadable),
    both(10, 'answers with wrong types', answer('{"id":true,"uid":{},"active":"yes","list":7,"data":0}'), unreadable),
    both(10, 'answers with 60 MB', answer('"', { contentType: 'application/json', repeat: 60_000_000 }), unreadable),
    both(10, 'answers 10,000 levels deep', answer('[', { repeat: 10_000 }), unreadable),
    both(10, 'answers with __proto__', answer('{"__proto__":{"id":1,"active":1,"list":[]}}'), unreadable),
    both(10, 'answers with a packed bomb', answer('0', { repeat: 60_000_000, bodyAs: 'gzip' }), unreadable),
    both(10, 'answers in another charset', answer('{"id":"é"}', { bodyAs: 'latin1' }), unreadable),
    fault(11, 'says 200 and changes nothing', answer('{}'), undefined, unreadable),
    ...[400, 409, 422].map((status) =>
      fault(
        12,
        `says "taken" with ${status}, falsely`,
        answer('{"message":"already exists","error":"taken"}', { status }),
        undefined,
        ['conflict', 'refused', 'immutable', 'broken', 'unknown'],
      ),
    ),
    fault(
      12,
      'says "taken" with a page and 500, falsely',
      answer('<!DOCTYPE html><title>Duplicate entry</title>', { status: 500, contentType: 'text/html' }),
      undefined,
      ['unknown', 'conflict', 'refused'],
    ),
    both(13, 'refuses our credentials once', { mode: '401', times: 1 }, ['denied', 'applied']),
    both(13, 'refuses our credentials', { mode: '401' }, ['denied']),
    both(14, 'gives the same page for ever', answer(fullPage), unreadable),
    both(14, 'answers a byte at a time', { mode: 'drip', delayMs: 1_000 }, ['unknown', 'applied'], { isSlow: true }),
    fault(15, 'leads to another host', { mode: 'redirect', location: trap }, redirected, unknown),
    fault(
      15,
      'leads to the metadata address',
      { mode: 'redirect', location: 'http://169.254.169.254/' },
      redirected,
      unknown,
    ),
    fault(15, 'leads to itself', { mode: 'redirect', location: '/' }, redirected, unknown),
  ]
}
