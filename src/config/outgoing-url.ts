/** URLs that `bridge.yaml` names and that something is sent to: of platforms, of receivers of alarms and traces. */
import { z } from 'zod'
import type { Json, JsonObject } from '../json.ts'
import type { PathPart, Report } from './references.ts'

/** Why a URL may not be spoken to; undefined: it may. `allowsInner`: also in this machine and in private networks. */
export type HostProblem = (url: string, allowsInner: boolean) => string | undefined

/** Receivers tell themselves apart by their path, and some by their query. */
export const receiverUrl = z
  .string()
  .max(2_048)
  .refine((text) => isUrl(text, /[\s#\\\p{Cc}]/u), {
    error: 'has to be an http or https URL without user and fragment',
  })

/** Only what can stand in front of a path: anything after it would be cut off or sent along. */
export function isPlainUrl(text: string): boolean {
  return isUrl(text, /[\s?#\\\p{Cc}]/u)
}

/** A backslash is a slash to some readers, and an at sign in front of it then names another host. */
function isUrl(text: string, forbidden: RegExp): boolean {
  if (!/^https?:\/\/[^/]/i.test(text) || forbidden.test(text)) return false
  const parsed = URL.parse(text)
  return parsed !== null && parsed.username === '' && parsed.password === '' && !text.split('/', 3)[2]?.includes('@')
}

export interface Outgoing {
  readonly url: Json | undefined
  readonly place: readonly PathPart[]
  /** What would be sent there. */
  readonly what: string
  /** What stands beside the URL: `allowHttp`, `allowPrivateAddresses`. */
  readonly beside: JsonObject
}

/** Reports what may not be sent in clear text, or not to this host. A URL that is none is reported elsewhere. */
export function checkOutgoing(
  { url, place, what, beside }: Outgoing,
  hostProblem: HostProblem | undefined,
  report: Report,
): void {
  if (typeof url !== 'string') return
  if (/^http:/i.test(url) && beside.allowHttp !== true)
    report(place, `${what} would go out in clear text: use https, or say allowHttp: true for this host`)
  const problem = hostProblem?.(url, beside.allowPrivateAddresses === true)
  if (problem !== undefined) report(place, problem)
}
