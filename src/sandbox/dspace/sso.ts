/** Single sign-on: what a person meets who comes by Shibboleth or SAML (by netid) or by OIDC (by e-mail). */
import type { DspaceState, EPerson } from './state.ts'

export interface SingleSignOn {
  readonly method: 'shibboleth' | 'oidc'
  readonly email: string
  /** Compared with case. OIDC does not look at it. */
  readonly netid?: string
}

export type SsoOutcome =
  | { readonly kind: 'signed in'; readonly person: EPerson }
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'locked to another netid' | 'cannot log in' }

/** An account without a netid is found by its e-mail and keeps the netid from then on. */
export function signInBySso(state: DspaceState, { method, email, netid }: SingleSignOn): SsoOutcome {
  const isByNetid = method === 'shibboleth' && netid !== undefined
  const person = (isByNetid ? state.byNetid(netid) : undefined) ?? state.byEmail(email)
  if (person === undefined) return { kind: 'refused', reason: 'unknown' }
  if (isByNetid && person.netid !== null && person.netid !== netid) {
    return { kind: 'refused', reason: 'locked to another netid' }
  }
  if (!person.canLogIn) return { kind: 'refused', reason: 'cannot log in' }
  if (isByNetid && person.netid === null) state.change(person, { netid })
  return { kind: 'signed in', person }
}
