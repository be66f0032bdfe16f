/**
 * DSpace's CSRF pair: a header that must equal a cookie. The server stores nothing, so an older pair stays valid beside a
 * newer one, as long as header and cookie are never mixed: the pair is one immutable value.
 */
import type { PlatformAnswer } from '../client.ts'
import { errorDocument } from './answers.ts'

export interface CsrfPair {
  readonly header: string
  readonly cookie: string
}

const cookieName = 'DSPACE-XSRF-COOKIE'

/** The pair that an answer gives; DSpace may give one with any answer. */
export function pairOf(answer: PlatformAnswer): CsrfPair | undefined {
  const header = answer.headers['dspace-xsrf-token']
  if (typeof header !== 'string' || header === '') return undefined
  return { header, cookie: lastCookie(answer.headers['set-cookie']) ?? header }
}

/** A log-in sets the cookie twice, first to take the old one away: only the order tells which one counts. */
function lastCookie(setCookie: string | string[] | undefined): string | undefined {
  let value: string | undefined
  for (const line of [setCookie ?? []].flat()) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    if (pair.slice(0, at) !== cookieName) continue
    const isRemoval = attributes.some((attribute) => /^max-age\s*=\s*(0|-\d+)$/i.test(attribute))
    value = isRemoval ? undefined : pair.slice(at + 1) || undefined
  }
  return value
}

export function csrfHeaders(pair: CsrfPair): Record<string, string> {
  return { 'x-xsrf-token': pair.header, cookie: `${cookieName}=${pair.cookie}` }
}

/** A 403 for the pair, which was checked before anything else: nothing has been done. */
export function saysWrongPair(answer: PlatformAnswer): boolean {
  if (answer.status !== 403) return false
  const error = errorDocument.safeParse(answer.json)
  return pairOf(answer) !== undefined || (error.success && /invalid csrf token/i.test(error.data.message ?? ''))
}
