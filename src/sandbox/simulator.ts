/** What a simulator is: a stateful imitation of one platform over real HTTP. Simulators share no code with `src/platforms`. */

/** One call as it arrived, before any fault was applied. */
export interface RecordedCall {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly requestBody: string
  readonly requestHeaders: Readonly<Record<string, string>>
  /** 0: the connection was closed without an answer, or none was given yet. */
  readonly status: number
  readonly responseHeaders: Readonly<Record<string, string>>
  readonly responseBody: string
}

/** The first seven are the demo's fault control; the others are finer positions for tests. See `faults.ts` for what each does. */
export const faultModes = [
  'ok',
  'down',
  'slow',
  'lost',
  'html',
  '500',
  '401',
  'hang',
  'hang-after',
  'late',
  'reset-before',
  'reset-after',
  'reset-in-headers',
  '500-after',
  '429',
  '503',
  'truncated',
  'redirect',
  'drip',
  'answer',
] as const
export type FaultMode = (typeof faultModes)[number]

export interface FaultRequest {
  readonly mode: FaultMode
  /** `slow`: before the answer, default 1000. `drip`: between two bytes of the body, default 1000. */
  readonly delayMs?: number
  /** Only calls that can or cannot change something, as the platform's `isWrite` says; others are answered as normal. */
  readonly only?: 'reads' | 'writes'
  /** Only calls whose path (below the base path, decoded) begins so. */
  readonly path?: string
  /** Lets so many calls that fit pass as normal first. */
  readonly skip?: number
  /** Applies to so many calls, then everything is normal again. */
  readonly times?: number
  /** Text of `Retry-After` for `429` and `503`; absent means no such header. */
  readonly retryAfter?: string
  /** Target of `redirect`. */
  readonly location?: string
  /** For `answer`: an answer made up by the test, nothing done. Defaults: 200, `application/json`, empty. */
  readonly status?: number
  readonly contentType?: string
  readonly body?: string
  /** The body so often in a row; default once. */
  readonly repeat?: number
  /** `gzip`: packed, and said so in `Content-Encoding`. `latin1`: the bytes of that charset, whatever `contentType` says. */
  readonly bodyAs?: 'gzip' | 'latin1'
  /** The call is done before the made-up answer goes out; default: nothing is done. */
  readonly isDone?: boolean
}

/** A person that `--seed-users` puts on a platform. */
export interface SeedPerson {
  readonly userName: string
  readonly email: string
  readonly givenName: string
  readonly familyName: string
  readonly title: string
  readonly department: string
}

/** What the platform's logic is handed; the server in front of it applies faults and records. */
export interface SimulatorRequest {
  readonly method: string
  /** Decoded path without the base path, beginning with `/`; without query. */
  readonly path: string
  /** As on the wire, without the base path, with query. */
  readonly rawPath: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface SimulatorAnswer {
  readonly status: number
  /** Arrays become repeated headers (Set-Cookie). */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** Goes out instead of `body`, as it is. */
  readonly bytes?: Uint8Array
}

/** The logic of one platform: pure state and answers; time comes in. */
export interface PlatformLogic {
  /** Path below the origin that belongs to the documented base URL: `/v2`, `/server`, or empty. */
  readonly basePath: string
  answer(request: SimulatorRequest): Promise<SimulatorAnswer> | SimulatorAnswer
  /** How this platform refuses credentials, for fault mode `401`. */
  refuseCredentials(request: SimulatorRequest): SimulatorAnswer
  /** How this platform looks when it answers 500. */
  serverError(request: SimulatorRequest): SimulatorAnswer
  /** Whether this call can change something (fault mode `lost` closes only those). */
  isWrite(request: SimulatorRequest): boolean
  /** Later ids of accounts are so much higher. Absent where ids do not count up. */
  skipIds?(count: number): void
  /** Credentials of an administrator, as the demo's ready line shows them. */
  readonly credentials: Readonly<Record<string, string | number>>
}

export interface RunningSimulator {
  /** `http://127.0.0.1:<port>` + base path. */
  readonly baseUrl: string
  /** `http://127.0.0.1:<port>/__sim` */
  readonly controlUrl: string
  /** Oldest first; at most `maxRecordedCalls`, 2,000 unless told. */
  readonly calls: readonly RecordedCall[]
  forgetCalls(): void
  fault(request: FaultRequest): void
  /** How often the present mode has been applied since it was set. */
  readonly faultCount: number
  /** After so many more calls nobody listens on the port any more, until `accept`. */
  refuseAfter(calls: number): Promise<void>
  /** Listens again on the same port; rejects when another program has taken it meanwhile. */
  accept(): Promise<void>
  close(): Promise<void>
}
