import { hash, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import { stateOf } from './request-state.ts'

/** Longer than any token that we hand out or take. */
const authorizationBytes = 8_192

/** How callers of one connection prove themselves. */
export interface Gate {
  readonly tokens: readonly CallerToken[]
  /** Some Okta applications send the token without `Bearer`. */
  readonly isSchemeOptional: boolean
}
export interface CallerToken {
  /** For audit and log: `token-1`. */
  readonly caller: string
  readonly sha256: Buffer
}

export function callerTokens(tokens: readonly string[]): CallerToken[] {
  return tokens.map((token, index) => ({ caller: `token-${index + 1}`, sha256: sha256(token) }))
}

/**
 * RFC 6750. Runs before the first byte of a body is read: strangers must not make us parse. One answer for every reason,
 * so that it tells nothing about connections and tokens; 401 is only ever about the caller's own credentials.
 */
export function authenticate(gates: ReadonlyMap<string, Gate>): RequestHandler {
  return (request, response, next) => {
    const state = stateOf(response)
    const name = state.connection ?? ''
    const gate = gates.get(name)
    const token = tokenOf(request, gate?.isSchemeOptional === true)
    const caller = gate === undefined || token === undefined ? undefined : callerOf(gate, token)
    if (caller === undefined) {
      throw new Problem(401, undefined, 'The request needs a valid bearer token of this connection.', {
        headers: { 'WWW-Authenticate': 'Bearer realm="scim-bridge"' },
      })
    }
    state.caller = caller
    next()
  }
}

function tokenOf(request: Request, isSchemeOptional: boolean): string | undefined {
  const header = request.headers.authorization
  if (header === undefined || header.length > authorizationBytes) return undefined
  const count = request.rawHeaders.filter(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization',
  ).length
  if (count !== 1) return undefined
  const space = header.indexOf(' ')
  if (space === -1) return isSchemeOptional && header !== '' ? header : undefined
  if (header.slice(0, space).toLowerCase() !== 'bearer') return undefined
  const token = header.slice(space + 1).trim()
  return token === '' ? undefined : token
}

/** Every hash is compared, in constant time each: the time tells neither which token fits nor how far one did. */
function callerOf(gate: Gate, token: string): string | undefined {
  const presented = sha256(token)
  let caller: string | undefined
  for (const known of gate.tokens) {
    if (timingSafeEqual(known.sha256, presented)) caller = known.caller
  }
  return caller
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
