/** Who calls: HTTP Basic with the name rule, flood control, sessions and the CSRF rule for callers that send cookies. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SimulatorRequest } from '../simulator.ts'
import type { EthosceState, UserRow } from './state.ts'

const sixHoursMs = 6 * 3_600_000
const hourMs = 3_600_000
const wrongPerName = 5
const wrongPerAddress = 50
const maxSessions = 10_000
const namePattern = /^restws.*/

export interface Caller {
  readonly user: UserRow
  /** Absent when the caller sent a session along. */
  readonly setCookie?: string
}

export interface SignIn {
  /** Undefined: anonymous, whatever the reason; the site never says 401. */
  authenticate(request: SimulatorRequest): Caller | undefined
  /** Whether a write that carries a session cookie lacks its token. */
  isForged(request: SimulatorRequest): boolean
  /** The token of the caller's session cookie, undefined without a session. */
  token(request: SimulatorRequest): string | undefined
  /** Opens a session as a person's browser would; returns its id. */
  openSession(uid: number): string
  hasSession(id: string): boolean
  endSessionsOf(uid: number): void
  /** Forgets wrong passwords, as an administrator would. */
  clearFlood(): void
}

export function createSignIn(state: EthosceState, now: () => number): SignIn {
  const secret = randomBytes(32)
  const sessions = new Map<string, number>()
  const wrongByName = new Map<string, number[]>()
  let wrongEverywhere: number[] = []

  const cookieName = (request: SimulatorRequest) =>
    `SESS${createHash('md5')
      .update(request.headers.host ?? '')
      .digest('hex')}`

  const open = (uid: number): string => {
    const id = randomBytes(32).toString('base64url')
    sessions.set(id, uid)
    if (sessions.size > maxSessions) {
      const oldest = sessions.keys().next().value
      if (oldest !== undefined) sessions.delete(oldest)
    }
    return id
  }

  const sessionCookie = (request: SimulatorRequest): string | undefined => {
    const name = cookieName(request)
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const [key, ...value] = pair.trim().split('=')
      if (key === name) return value.join('=')
    }
    return undefined
  }

  const tokenOf = (session: string) => createHmac('sha256', secret).update(session).digest('base64url')

  const isFlooded = (name: string): boolean => {
    const recent = (wrongByName.get(name) ?? []).filter((at) => now() - at < sixHoursMs)
    wrongByName.set(name, recent)
    wrongEverywhere = wrongEverywhere.filter((at) => now() - at < hourMs)
    return recent.length >= wrongPerName || wrongEverywhere.length >= wrongPerAddress
  }

  return {
    authenticate(request) {
      const credentials = basicCredentials(request.headers.authorization)
      if (credentials === undefined || !namePattern.test(credentials.name)) return undefined
      const folded = state.fold(credentials.name)
      const [uid] = state.usersByName.get(folded)
      const user = uid === undefined ? undefined : state.users.rows.get(uid)
      if (user?.password === undefined || user.status !== 1) return undefined
      // The lock comes before the password: a locked account refuses the right one too.
      if (isFlooded(folded)) return undefined
      if (!isSame(user.password, credentials.password)) {
        wrongByName.set(folded, [...(wrongByName.get(folded) ?? []), now()])
        wrongEverywhere.push(now())
        return undefined
      }
      wrongByName.delete(folded)
      user.login = state.seconds()
      if (sessions.has(sessionCookie(request) ?? '')) return { user }
      return { user, setCookie: `${cookieName(request)}=${open(user.uid)}; path=/; HttpOnly` }
    },
    isForged(request) {
      const session = sessionCookie(request)
      if (session === undefined) return false
      return !sessions.has(session) || !isSame(request.headers['x-csrf-token'] ?? '', tokenOf(session))
    },
    token(request) {
      const session = sessionCookie(request)
      return session !== undefined && sessions.has(session) ? tokenOf(session) : undefined
    },
    openSession: open,
    hasSession: (id) => sessions.has(id),
    endSessionsOf(uid) {
      for (const [id, owner] of sessions) if (owner === uid) sessions.delete(id)
    },
    clearFlood() {
      wrongByName.clear()
      wrongEverywhere = []
    },
  }
}

function basicCredentials(header: string | undefined): { name: string; password: string } | undefined {
  const encoded = /^basic +(.+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [name, ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return name === undefined ? undefined : { name, password: password.join(':') }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
