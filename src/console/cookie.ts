import { timingSafeEqual } from 'node:crypto'
import type { Request, Response } from 'express'
import { consoleNoticeLength } from '../limits.ts'
import { derived } from './sessions.ts'

const name = 'scim_bridge_console'
const beginningName = 'scim_bridge_sign_in'
const noticeName = 'scim_bridge_notice'

export interface CookiePlace {
  /** Path of the pages. */
  readonly path: string
  readonly isSecure: boolean
}

/** Not for scripts, and never sent along with another site's requests. */
export function setCookie(response: Response, value: string, place: CookiePlace): void {
  response.setHeader('Set-Cookie', cookieText(name, value, place))
}

export function clearCookie(response: Response, { path }: CookiePlace): void {
  response.setHeader('Set-Cookie', cookieText(name, '', { path, isSecure: false }, { maxAge: 0 }))
}

/** While somebody is at the identity provider: it comes back from there, which `Strict` would not survive. */
export function setBeginning(response: Response, value: string, { path, isSecure }: CookiePlace): void {
  const place = { path: `${path}/sign-in`, isSecure }
  response.setHeader('Set-Cookie', cookieText(beginningName, value, place, { maxAge: 600, sameSite: 'Lax' }))
}

/** `maxAge` in seconds; without one it ends with the browser. */
function cookieText(
  name: string,
  value: string,
  { path, isSecure }: CookiePlace,
  { maxAge, sameSite = 'Strict' }: { readonly maxAge?: number; readonly sameSite?: 'Strict' | 'Lax' } = {},
): string {
  const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`
  return `${name}=${value}; Path=${path}${age}; HttpOnly; SameSite=${sameSite}${isSecure ? '; Secure' : ''}`
}

export function beginningOf(request: Request): string | undefined {
  return cookieNamed(request, beginningName)
}

/**
 * What the next page of this session says first. It travels with the browser, so that any replica can say it; signed, so that nobody
 * else can have a page say something.
 */
export function setNotice(response: Response, text: string, session: string, place: CookiePlace): void {
  const payload = Buffer.from([...text].slice(0, consoleNoticeLength).join('')).toString('base64url')
  const value = `${payload}.${derived(session, `notice ${payload}`)}`
  response.append('Set-Cookie', cookieText(noticeName, value, place, { maxAge: 60 }))
}

/** Said once: it is taken from the browser. Undefined: there is none, or it is not this session's. */
export function takeNotice(
  request: Request,
  response: Response,
  session: string,
  { path }: CookiePlace,
): string | undefined {
  const value = cookieValue(request, noticeName)
  if (value === undefined) return undefined
  response.append('Set-Cookie', cookieText(noticeName, '', { path, isSecure: false }, { maxAge: 0 }))
  const [payload = '', sent = ''] = value.split('.')
  const [signature, presented] = [Buffer.from(derived(session, `notice ${payload}`)), Buffer.from(sent)]
  const isOurs = presented.length === signature.length && timingSafeEqual(presented, signature)
  return isOurs ? Buffer.from(payload, 'base64url').toString('utf8') : undefined
}

/** Undefined: none, or no value that could be one. */
export function cookieOf(request: Request): string | undefined {
  return cookieNamed(request, name)
}

function cookieNamed(request: Request, name: string): string | undefined {
  const value = cookieValue(request, name)
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
}

function cookieValue(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key = '', value = ''] = part.trim().split('=', 2)
    if (key === name && /^[\w.-]+$/.test(value)) return value
  }
  return undefined
}
