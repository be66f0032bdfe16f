/** Registrations: an e-mail with a token goes out, and who holds the token makes the account. */
import { randomBytes } from 'node:crypto'
import { badRequest, denied, unprocessable } from './answers.ts'
import type { Call } from './call.ts'
import type { DspaceKnobs } from './knobs.ts'
import { type DspaceState, type EPerson, type Group, type NewEPerson, textOf } from './state.ts'

export interface Registration {
  readonly id: number
  readonly token: string
  /** Lower case. */
  readonly email: string
  readonly kind: RegistrationKind
  /** Uuids of the groups to join; DSpace-CRIS only. */
  readonly groups: Set<string>
  readonly expiresAt: number
}
export type RegistrationKind = 'register' | 'forgot' | 'invitation'

export interface Mail {
  readonly to: string
  readonly kind: RegistrationKind
  readonly token: string
  /** Path of the page that the mail links to. */
  readonly link: string
}

export interface Registrations {
  /** By token; rows that have expired are gone. */
  readonly rows: ReadonlyMap<string, Registration>
  /** What was sent, oldest first. */
  readonly mails: readonly Mail[]
  find(token: string): Registration | undefined
  emailOf(token: string): string | undefined
  /** Writes or re-issues the e-mail's one row and mails its token. */
  issue(email: string, kind: RegistrationKind, groups: readonly Group[]): void
  /** The same row with another e-mail and another token, mailed there. */
  redirect(row: Registration, email: string): void
  /** What the holder of a token for `email` may make of it. Throws 400, 422, or access denied. */
  complete(call: Call, email: string, wanted: NewEPerson): NewEPerson
  /** The groups of the token, and the end of it. */
  joinGroups(call: Call, token: string, person: EPerson): void
  forget(token: string): void
}

export function createRegistrations(state: DspaceState, knobs: DspaceKnobs, now: () => number): Registrations {
  const rows = new Map<string, Registration>()
  const byEmail = new Map<string, Registration>()
  const mails: Mail[] = []
  let count = 0

  const forget = (token: string) => {
    const row = rows.get(token)
    if (row === undefined) return
    rows.delete(token)
    byEmail.delete(row.email)
  }
  const find = (token: string) => {
    const row = rows.get(token)
    if (row !== undefined && now() > row.expiresAt) forget(token)
    return rows.get(token)
  }
  const mail = (row: Registration) => {
    const { email, kind, token } = row
    // A mail that fails is logged and nothing else.
    if (knobs.mails === 'sent') mails.push({ to: email, kind, token, link: `/${kind}/${token}` })
  }
  const enter = (email: string, kind: RegistrationKind, groups: ReadonlySet<string>, kept?: Registration) => {
    count += 1
    const row: Registration = {
      id: kept?.id ?? count,
      token: kept?.token ?? randomBytes(16).toString('hex'),
      email,
      kind,
      groups: new Set(groups),
      expiresAt: kept?.expiresAt ?? now() + knobs.registrationLifeMs,
    }
    rows.set(row.token, row)
    byEmail.set(email, row)
    mail(row)
  }

  return {
    rows,
    mails,
    find,
    emailOf: (token) => find(token)?.email,
    issue(address, kind, groups) {
      const email = address.toLowerCase()
      const present = byEmail.get(email)
      const kept = present === undefined ? undefined : find(present.token)
      enter(email, kind, new Set([...(kept?.groups ?? []), ...groups.map(({ uuid }) => uuid)]), kept)
    },
    redirect(row, email) {
      forget(row.token)
      enter(email.toLowerCase(), row.kind, row.groups)
    },
    complete(call, email, wanted) {
      if (!knobs.registration) throw denied(call.caller !== undefined)
      if (wanted.email.toLowerCase() !== email) throw badRequest('The email is not the one of the token')
      if (state.byEmail(email) !== undefined) throw badRequest('There is an account with this email')
      const metadata = wanted.metadata ?? new Map()
      if (textOf(metadata, 'eperson.firstname') === '' || textOf(metadata, 'eperson.lastname') === '') {
        throw unprocessable('The first and last name are required')
      }
      if (wanted.password === undefined) throw badRequest('The password is required')
      return { ...wanted, email, selfRegistered: true }
    },
    joinGroups(call, token, person) {
      for (const uuid of call.knobs.isCris ? (rows.get(token)?.groups ?? []) : []) {
        const group = state.groups.get(uuid)
        if (group !== undefined) state.join(group, person)
      }
      forget(token)
    },
    forget,
  }
}
