/** What keeps strangers' pages and scripts away from the operator's. */
import { timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import type { Session } from './sessions.ts'

/** Everything comes from the bridge itself, and nothing stands in a page: no script, no style, no frame. Pico's icons are data. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('Content-Security-Policy', policy)
  response.setHeader('X-Frame-Options', 'DENY')
  response.setHeader('Referrer-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  response.setHeader('X-Robots-Tag', 'noindex')
  next()
}

/** Browsers say where a request comes from: other sites' are refused, whatever they carry. Throws a `Problem` (403). */
export function refuseForeign(request: Request, publicOrigin: string): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  // Older browsers, and plain HTTP, send the origin only.
  const isForeign =
    site !== undefined ? site !== 'same-origin' : origin !== undefined && origin.toLowerCase() !== publicOrigin
  if (!isForeign) return
  const detail = `This form was sent from another site: nothing was done. These pages are at ${publicOrigin}, and at no other address.`
  throw new Problem(403, undefined, detail)
}

/** Throws a `Problem` (403) when the form is not one of this session's. */
export function assertOwnForm(session: Session, sent: string | undefined): void {
  const wanted = Buffer.from(session.formToken)
  const presented = Buffer.from(sent ?? '')
  if (presented.length === wanted.length && timingSafeEqual(presented, wanted)) return
  throw new Problem(403, undefined, 'This form is from an earlier session: nothing was done. Open the page anew.')
}
