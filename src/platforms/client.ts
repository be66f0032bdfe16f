/** What the one HTTP client for all platforms is told and tells. The client itself is `createClient`. */
import type { PlatformCertificates } from './connect.ts'
import type { Call } from './platform.ts'
import type { TracedCalls } from './traced-exchange.ts'

/** A slot for one request; two clients of one connection share their pace. */
export interface Pace {
  /** Waits for the next free slot; rejects with the signal's reason. Returns a function that frees the concurrency slot. */
  acquire(signal: AbortSignal): Promise<() => void>
  /** The platform said that it is busy: nothing is called for this long. */
  hold(ms: number): void
  /** Whether the platform was there for a request: after an outage the pace climbs anew. */
  noteAnswer(isThere: boolean): void
}

export interface ClientSettings {
  /** With path prefix, without a slash at the end: `https://api.figshare.com/v2`. */
  readonly baseUrl: string
  readonly pace: Pace
  /** For one request, connection included. Milliseconds; default 10,000. */
  readonly timeoutMs?: number
  /** Bytes of one answer, decompressed; default 5 MB. */
  readonly maxAnswerBytes?: number
  /**
   * Asked with the address of each connected socket, before any header is sent: names are checked where they lead, so a
   * name that is resolved anew to an inner address gains nothing. False ends in `Unreachable`. Default: every address.
   */
  readonly mayConnect?: (address: string) => boolean
  /** Told the `Date` of each answer: how far the two clocks are apart. */
  readonly noteDate?: (date: string) => void
  /** Read anew for each TLS connection. Default: Node's authorities, no certificate of ours. */
  readonly certificates?: PlatformCertificates
  /** Undefined: nothing is traced. */
  readonly trace?: TracedCalls | undefined
}

export interface PlatformRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path segments below the base URL; each is percent-encoded by the client (`['users', id, 'activity-status']`). */
  readonly path: readonly string[]
  /** Appended as they are after the path: SelfCommunity wants `/` at the end, EthosCE `.json`. */
  readonly suffix?: '/' | '.json'
  readonly query?: readonly (readonly [name: string, value: string])[]
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON with `contentType` (default `application/json`); a string is sent as it is and needs `contentType`. */
  readonly body?: unknown
  readonly contentType?: string
  /** True for a POST that only reads (search, sign-in): no audit line, and its loss is not an unknown write. */
  readonly readsOnly?: boolean
}

export interface PlatformAnswer {
  readonly status: number
  /** Lower-case names; repeated headers as arrays (Set-Cookie). */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Parsed body when the media type is JSON and it parses, else `undefined`. Never trusted: parse it with zod. */
  readonly json: unknown
  /** The media type is text/html, or the body begins like a page. EthosCE also sends one-line texts as text/html. */
  readonly isHtml: boolean
}

/** Credentials of each request, as headers; what `request.headers` says wins. Asked each time: secrets are replaced while we run. */
export type Authorize = (request: PlatformRequest) => Readonly<Record<string, string>>

/**
 * Sends one request: waits for the pace, awaits `call.beforeWrite` when the request writes, follows no redirect, keeps no
 * cookie, repeats nothing but what was refused (401, 403) for credentials that have been replaced meanwhile. Gives back every answer with a status that a module can judge: 2xx, 3xx, 4xx except 429, 500.
 * A module treats each status it does not know with `unexpectedAnswer` of `answer.ts`.
 *
 * Throws: `Unreachable` (nothing was sent), `Busy` (429; 503 with Retry-After; no slot before the call's time was over),
 * `Unknown` (time-out, reset, cut answer, 502, 503, 504 and other 5xx; an oversized or encoded answer to a write), `Broken`
 * (an oversized or encoded answer to a read), `Fault` (a path segment or header that may not be sent).
 */
export interface Client {
  send(call: Call, request: PlatformRequest): Promise<PlatformAnswer>
  close(): Promise<void>
}
