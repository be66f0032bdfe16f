/**
 * The double submit: header and cookie are compared with each other and with nothing else, so any pair that was once
 * handed out stays valid beside newer ones.
 */
import { randomUUID } from 'node:crypto'
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { basePath, withHeaders } from './answers.ts'

const cookieName = 'DSPACE-XSRF-COOKIE'
const attributes = `Path=${basePath}; HttpOnly; SameSite=Lax`

export type CsrfCheck = 'valid' | 'used as parameter' | 'invalid'

export function checkCsrf(request: SimulatorRequest): CsrfCheck {
  const cookie = csrfCookie(request)
  if (cookie === undefined || cookie === '') return 'invalid'
  if (request.headers['x-xsrf-token'] === cookie) return 'valid'
  return request.query.get('_csrf') === cookie ? 'used as parameter' : 'invalid'
}

export function csrfCookie(request: SimulatorRequest): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const mark = part.indexOf('=')
    if (mark > 0 && part.slice(0, mark).trim() === cookieName) return part.slice(mark + 1).trim()
  }
  return undefined
}

/** A token for a caller who has none. */
export function withToken(answer: SimulatorAnswer): SimulatorAnswer {
  const token = randomUUID()
  return withHeaders(answer, {
    'DSPACE-XSRF-TOKEN': token,
    'Set-Cookie': `${cookieName}=${token}; ${attributes}`,
  })
}

/** The old cookie is taken back and then set anew: two Set-Cookie of one name, and their order matters. */
export function withRotatedToken(answer: SimulatorAnswer): SimulatorAnswer {
  const token = randomUUID()
  return withHeaders(answer, {
    'DSPACE-XSRF-TOKEN': token,
    'Set-Cookie': [
      `${cookieName}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ${attributes}`,
      `${cookieName}=${token}; ${attributes}`,
    ],
  })
}
