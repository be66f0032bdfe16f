import type { IncomingMessage } from 'node:http'
import { authorizationBytes } from '../../limits.ts'

/** What a request brings along as proof. */
export type Presented =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'missing' | 'malformed' }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * RFC 6750 §2.1, RFC 7617: from the one Authorization header, and from nowhere else. The query is not looked at, because it
 * ends in the logs of every proxy (RFC 7644 §7.5.2).
 */
export function presentedBy(request: IncomingMessage, isSchemeOptional: boolean): Presented {
  const header = request.headers.authorization
  if (header === undefined || header === '') return { kind: 'missing' }
  // Node keeps the first of several; a proxy on the way may have looked at the last.
  if (header.length > authorizationBytes || countOf(request) !== 1) return { kind: 'malformed' }
  const space = header.indexOf(' ')
  if (space === -1) return isSchemeOptional ? { kind: 'bearer', token: header } : { kind: 'malformed' }
  const scheme = header.slice(0, space).toLowerCase()
  const rest = header.slice(space + 1).trim()
  if (rest === '') return { kind: 'malformed' }
  if (scheme === 'bearer') return { kind: 'bearer', token: rest }
  if (scheme === 'basic') return basic(rest) ?? { kind: 'malformed' }
  return { kind: 'malformed' }
}

/** User and password; undefined when it is no base64 of UTF-8 with a colon. */
export function basic(encoded: string): Extract<Presented, { kind: 'basic' }> | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  try {
    const text = utf8.decode(Buffer.from(encoded, 'base64'))
    const colon = text.indexOf(':')
    if (colon === -1) return undefined
    return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
  } catch {
    return undefined
  }
}

function countOf(request: IncomingMessage): number {
  return request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization').length
}
