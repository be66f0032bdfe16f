/** Sign-in: sliding tokens, HTTP Basic for the built-in domain, and the lock after too many wrong passwords. */
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { BlockList, isIPv6 } from 'node:net'
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { accessDenied, json, refusal } from './answers.ts'
import { parseMembers, textOf } from './input.ts'
import type { Installation } from './show.ts'
import type { OpenspecimenUser } from './state.ts'

export const builtInDomain = 'openspecimen'
export const systemLogin = '$system'
const impersonationMs = 60 * 60_000

interface Session {
  readonly userId: number
  lastUsedAt: number
}

export interface SignIn {
  /** `POST /sessions`. */
  open(body: string): SimulatorAnswer
  /** `DELETE /sessions`. */
  close(request: SimulatorRequest): SimulatorAnswer
  /** `POST /sessions/impersonate`. */
  impersonate(caller: OpenspecimenUser, body: string): SimulatorAnswer
  /** Undefined: 401. */
  authenticate(request: SimulatorRequest): OpenspecimenUser | undefined
  /** Ends the sessions of one user, or of all, as a restart does. */
  endSessions(userId?: number): void
  sessionsOf(userId: number): number
}

export function createSignIn(installation: Installation): SignIn {
  const { state, directory, knobs } = installation
  const sessions = new Map<string, Session>()
  const impersonations = new Map<string, { readonly userId: number; readonly endsAt: number }>()

  const auth = (name: string) => refusal(`${knobs.authCodePrefix}_${name}`)

  const endSessions = (userId?: number) => {
    for (const [token, session] of sessions) {
      if (userId === undefined || session.userId === userId) sessions.delete(token)
    }
  }

  const countFailure = (user: OpenspecimenUser) => {
    user.failedLogins += 1
    if (user.failedLogins < knobs.allowedFailedLogins || user.activityStatus !== 'Active') return
    state.change(user, { activityStatus: 'Locked' })
    state.mail('user_account_locked', [user, ...state.administratorsOf(user.instituteName)])
  }

  /** Throws the coded refusal; the message never says which of the two was wrong. */
  const checkPassword = (loginName: string, password: string, domainName: string): OpenspecimenUser => {
    const [user] = state.byLogin(loginName, domainName)
    // Other domains ask their directory or web sign-in, neither of which knows these passwords.
    if (user === undefined || user.domainName !== builtInDomain || user.type === 'CONTACT')
      throw auth('INVALID_CREDENTIALS')
    if (user.activityStatus === 'Locked') throw auth('USER_LOCKED')
    if (user.activityStatus === 'Expired') throw auth('PASSWORD_EXPIRED')
    if (user.activityStatus !== 'Active') throw auth('INVALID_CREDENTIALS')
    if (user.password === undefined || !isSame(user.password, password)) {
      countFailure(user)
      throw auth('INVALID_CREDENTIALS')
    }
    user.failedLogins = 0
    if (user.apiUser && !isInRange(user.ipRange ?? '*', knobs.callerAddress)) throw auth('IP_ADDRESS_NOT_ALLOWED')
    return user
  }

  const byToken = (token: string): OpenspecimenUser | undefined => {
    const session = sessions.get(token)
    if (session === undefined) return undefined
    if (state.now() - session.lastUsedAt > knobs.tokenIdleMs) {
      sessions.delete(token)
      return undefined
    }
    session.lastUsedAt = state.now()
    return state.users.get(session.userId)
  }

  const byBasic = (header: string): OpenspecimenUser | undefined => {
    const encoded = /^basic +(\S+)$/i.exec(header)?.[1]
    const parts = Buffer.from(encoded ?? '', 'base64')
      .toString('utf8')
      .split(':')
    const [loginName, password] = parts
    // A password with a colon makes three parts, which the server never accepts.
    if (parts.length !== 2 || loginName === undefined || password === undefined) return undefined
    try {
      const user = checkPassword(loginName, password, builtInDomain)
      return user.forcePasswordReset || (knobs.oneTimePassword && !user.apiUser) ? undefined : user
    } catch {
      return undefined
    }
  }

  const mayCall = (user: OpenspecimenUser): boolean => {
    if (user.type === 'CONTACT' || user.activityStatus === 'Closed') return false
    return user.activityStatus !== 'Disabled' || knobs.disabledToken === 'works'
  }

  const impersonated = (request: SimulatorRequest, caller: OpenspecimenUser): OpenspecimenUser => {
    const known = impersonations.get(request.headers['x-os-impersonate-user'] ?? '')
    if (known === undefined || known.endsAt < state.now() || caller.type !== 'SUPER') return caller
    return state.users.get(known.userId) ?? caller
  }

  return {
    open(body) {
      const input = parseMembers(body)
      const domainName = textOf(input, 'domainName') ?? builtInDomain
      if (!directory.domains.has(domainName)) throw refusal('USER_DOMAIN_NOT_FOUND')
      const user = checkPassword(textOf(input, 'loginName') ?? '', textOf(input, 'password') ?? '', domainName)
      if (user.forcePasswordReset) return json({ resetPasswordToken: randomUUID() })
      if (knobs.oneTimePassword && !user.apiUser) throw auth('OTP_REQUIRED')
      const open = [...sessions].filter(([, session]) => session.userId === user.id)
      if (knobs.maxLoginSessions > 0 && open.length >= knobs.maxLoginSessions) {
        const [oldest] = open
        if (oldest !== undefined) sessions.delete(oldest[0])
        state.mail('users_session_ended', [user])
      }
      const token = Buffer.from(randomUUID()).toString('base64')
      sessions.set(token, { userId: user.id, lastUsedAt: state.now() })
      const answer = {
        id: user.id,
        firstName: user.firstName,
        lastName: user.lastName,
        loginName: user.loginName,
        token,
        admin: user.type === 'SUPER',
        instituteAdmin: user.type === 'INSTITUTE',
      }
      return json(answer, { 'set-cookie': `osAuthToken=${token}; Path=/openspecimen; HttpOnly` })
    },
    close(request) {
      sessions.delete(tokenOf(request) ?? '')
      return json({ Status: 'Success' })
    },
    impersonate(caller, body) {
      if (caller.type !== 'SUPER') throw accessDenied()
      const input = parseMembers(body)
      const [user] = state.byLogin(textOf(input, 'loginName') ?? '', textOf(input, 'domainName') ?? builtInDomain)
      if (user === undefined) throw refusal('USER_NOT_FOUND')
      const token = randomUUID()
      impersonations.set(token, { userId: user.id, endsAt: state.now() + impersonationMs })
      state.mail('users_impersonated', [caller, user])
      return json({ impersonateUserToken: token })
    },
    authenticate(request) {
      const token = tokenOf(request)
      const header = request.headers.authorization
      // A token, even a dead one, hides the Basic header.
      const user = token !== undefined ? byToken(token) : header !== undefined ? byBasic(header) : undefined
      if (user === undefined || !mayCall(user)) return undefined
      const effective = impersonated(request, user)
      return mayCall(effective) ? effective : undefined
    },
    endSessions,
    sessionsOf: (userId) => [...sessions.values()].filter((session) => session.userId === userId).length,
  }
}

/** Whether a caller showed anything at all. */
export function hasCredentials(request: SimulatorRequest): boolean {
  return tokenOf(request) !== undefined || request.headers.authorization !== undefined
}

function tokenOf(request: SimulatorRequest): string | undefined {
  const header = request.headers['x-os-api-token']
  if (header !== undefined) return header
  return /(?:^|;\s*)osAuthToken=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
}

/** `*`, an address, or CIDR. */
export function isRange(text: string): boolean {
  return text === '*' || rangeOf(text) !== undefined
}

function isInRange(range: string, address: string): boolean {
  return range === '*' || rangeOf(range)?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') === true
}

function rangeOf(text: string): BlockList | undefined {
  const [net = '', bits] = text.split('/')
  const family = isIPv6(net) ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  try {
    if (bits === undefined) list.addAddress(net, family)
    else list.addSubnet(net, Number(bits), family)
    return list
  } catch {
    return undefined
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
