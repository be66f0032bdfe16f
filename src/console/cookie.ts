import type { Request, Response } from 'express'

const name = 'scim_bridge_console'
const beginningName = 'scim_bridge_sign_in'

export interface CookiePlace {
  /** Path of the pages. */
  readonly path: string
  readonly isSecure: boolean
}

/** Not for scripts, and never sent along with another site's requests. */
export function setCookie(response: Response, value: string, { path, isSecure }: CookiePlace): void {
  const secure = isSecure ? '; Secure' : ''
  response.setHeader('Set-Cookie', `${name}=${value}; Path=${path}; HttpOnly; SameSite=Strict${secure}`)
}

export function clearCookie(response: Response, { path }: CookiePlace): void {
  response.setHeader('Set-Cookie', `${name}=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Strict`)
}

/** While somebody is at the identity provider: it comes back from there, which `Strict` would not survive. */
export function setBeginning(response: Response, value: string, { path, isSecure }: CookiePlace): void {
  const secure = isSecure ? '; Secure' : ''
  response.setHeader(
    'Set-Cookie',
    `${beginningName}=${value}; Path=${path}/sign-in; Max-Age=600; HttpOnly; SameSite=Lax${secure}`,
  )
}

export function beginningOf(request: Request): string | undefined {
  return cookieNamed(request, beginningName)
}

/** Undefined: none, or no value that could be one. */
export function cookieOf(request: Request): string | undefined {
  return cookieNamed(request, name)
}

function cookieNamed(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key = '', value = ''] = part.trim().split('=', 2)
    if (key === name && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}
