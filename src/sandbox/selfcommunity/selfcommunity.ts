/**
 * SelfCommunity as a bridge sees it: the v2 REST API with tokens that the integrator signs. An administrator makes and
 * finds accounts, a moderator switches them, and only the person changes profile and e-mail address.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { PlatformLogic, SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { accountRoutes } from './accounts.ts'
import { html, json, Refusal, refusal, unauthorized } from './answers.ts'
import type { Call, Route } from './call.ts'
import { groupRoutes } from './groups.ts'
import { readFields } from './input.ts'
import { defaultKnobs, type SelfcommunityKnobs } from './knobs.ts'
import { membershipRoutes } from './membership.ts'
import { moderationRoutes } from './moderation.ts'
import { profileRoutes } from './profile.ts'
import { providerRoutes } from './providers.ts'
import { signupRoutes } from './signup.ts'
import {
  type CommunityGroup,
  type CommunityTag,
  type CommunityUser,
  createState,
  creatorId,
  type NewGroup,
  type NewTag,
  type NewUser,
  type SelfcommunityState,
  type UserStatus,
} from './state.ts'
import { endBlocks, setStatus } from './status.ts'
import { tagRoutes } from './tags.ts'
import { authenticate, isSigned, mintToken } from './tokens.ts'

export interface SelfcommunityCredentials {
  /** The community's secret: a master key, it signs for anybody. */
  readonly jwtSecret: string
  /** The administrator for whom a service signs. */
  readonly userId: number
}

export interface SelfcommunityOptions {
  /** A random secret and user 1, the creator, unless given. */
  readonly credentials?: SelfcommunityCredentials
  readonly knobs?: Partial<SelfcommunityKnobs>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface SelfcommunitySimulator extends PlatformLogic {
  readonly credentials: { readonly jwtSecret: string; readonly userId: number }
  readonly state: SelfcommunityState
  /** May be changed at any time. */
  readonly knobs: SelfcommunityKnobs
  /** What was done to user 1, oldest first: method and path. */
  readonly touched: readonly string[]
  userById(id: number): CommunityUser | undefined
  userByExtId(extId: string): CommunityUser | undefined
  userByUsername(username: string): CommunityUser | undefined
  /** The first of several. */
  userByEmail(email: string): CommunityUser | undefined
  /** By hand, without any check. */
  addUser(user: NewUser): CommunityUser
  /** By hand, without a trace. */
  removeUser(id: number): void
  /** By hand, whatever the status was. Throws for an unknown user. */
  setStatus(id: number, status: UserStatus): void
  addTag(tag: NewTag): CommunityTag
  addGroup(group: NewGroup): CommunityGroup
  /** A token for somebody, valid for five minutes from now; claims override its own. */
  tokenFor(userId: number, claims?: Readonly<Record<string, unknown>>): string
  /** The community gets another secret; tokens signed with the old one are refused from now on. */
  changeSecret(secret: string): void
}

const apiRoot = '/api/v2'
const tokenLifeSeconds = 300

const routes: readonly Route[] = [
  ...signupRoutes,
  ...accountRoutes,
  ...profileRoutes,
  ...moderationRoutes,
  ...providerRoutes,
  ...tagRoutes,
  ...groupRoutes,
  ...membershipRoutes,
]
const verifyTokenPath = `${apiRoot}/jwt/verify_token/`

export function createSelfcommunity(options: SelfcommunityOptions = {}): SelfcommunitySimulator {
  const now = options.now ?? Date.now
  const credentials = options.credentials ?? { jwtSecret: randomBytes(32).toString('hex'), userId: creatorId }
  const knobs: SelfcommunityKnobs = { ...defaultKnobs, ...options.knobs }
  const state = createState(knobs, now)
  let secret = credentials.jwtSecret
  state.addUser({ id: creatorId, username: 'creator', email: 'creator@community.example', role: 'admin' })
  if (credentials.userId !== creatorId) {
    state.addUser({
      id: credentials.userId,
      username: 'service',
      email: 'service@community.example',
      role: 'admin',
    })
  }
  const isBusy = createThrottle(knobs, now)

  const respond = (request: SimulatorRequest): SimulatorAnswer => {
    if (isBusy()) throw new Refusal(busy(knobs))
    if (!request.path.startsWith(`${apiRoot}/`)) return html(404, 'Not Found')
    if (!request.path.endsWith('/')) return missingSlash(knobs, request)
    endBlocks(state)
    if (request.path === verifyTokenPath && request.method === 'POST') return verifyToken(secret, request)
    const found = findRoute(request)
    if (found === undefined) return html(404, 'Not Found')
    const caller = authenticate(state, secret, request)
    if (found === 'other-method') {
      throw refusal(405, 'method_not_allowed', `Method "${request.method}" not allowed.`)
    }
    return found.answer({ state, secret, caller, request, id: found.id })
  }

  return {
    basePath: '',
    credentials,
    state,
    knobs,
    touched: state.touched,
    answer(request) {
      try {
        return respond(request)
      } catch (cause) {
        if (cause instanceof Refusal) return cause.answer
        throw cause
      }
    },
    refuseCredentials: () => unauthorized('Given token not valid for any token type').answer,
    serverError: () => html(500, 'Server Error (500)'),
    isWrite: ({ method, path }) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && path !== verifyTokenPath,
    userById: (id) => state.users.get(id),
    userByExtId: (extId) => state.byLink('external', extId),
    userByUsername: (username) => state.byUsername(username),
    userByEmail: (email) => state.byEmail(email)[0],
    skipIds: (count) => state.skipIds(count),
    addUser: (user) => state.addUser(user),
    removeUser: (id) => state.removeUser(id),
    setStatus(id, status) {
      const user = state.users.get(id)
      if (user === undefined) throw new Error(`There is no user ${id}.`)
      setStatus(state, user, status)
    },
    addTag: (tag) => state.addTag(tag),
    addGroup: (group) => state.addGroup(group),
    tokenFor(userId, claims = {}) {
      const iat = Math.floor(now() / 1000)
      const own = { user_id: userId, token_type: 'access', jti: randomUUID(), iat, exp: iat + tokenLifeSeconds }
      return mintToken(secret, { ...own, ...claims })
    },
    changeSecret(next) {
      secret = next
    },
  }
}

function findRoute(
  request: SimulatorRequest,
): { readonly answer: (call: Call) => SimulatorAnswer; readonly id: number } | 'other-method' | undefined {
  const path = request.path.slice(apiRoot.length)
  let isKnown = false
  for (const [method, pattern, answer] of routes) {
    const parts = pattern.exec(path)
    if (parts !== null && method === request.method) return { answer, id: Number(parts[1] ?? 0) }
    isKnown ||= parts !== null
  }
  return isKnown ? 'other-method' : undefined
}

/** The signature and nothing else: not for whom, not until when. */
function verifyToken(secret: string, request: SimulatorRequest): SimulatorAnswer {
  const token = readFields(request).get('token')
  if (typeof token === 'string' && isSigned(secret, token)) return json(200, {})
  throw unauthorized('Token is invalid or expired')
}

function missingSlash(knobs: SelfcommunityKnobs, request: SimulatorRequest): SimulatorAnswer {
  if (knobs.missingSlash === 404) return html(404, 'Not Found')
  const [path = '', ...query] = request.rawPath.split('?')
  const location = [`${path}/`, ...query].join('?')
  return { ...html(301, 'Moved Permanently'), headers: { 'content-type': 'text/html; charset=utf-8', location } }
}

function busy(knobs: SelfcommunityKnobs): SimulatorAnswer {
  const headers = knobs.retryAfter === undefined ? undefined : { 'retry-after': knobs.retryAfter }
  return json(429, { errors: [{ message: 'Request was throttled.', code: 'throttled' }] }, headers)
}

/** Counts the calls of each whole second. */
function createThrottle(knobs: SelfcommunityKnobs, now: () => number): () => boolean {
  let second = 0
  let count = 0
  return () => {
    const present = Math.floor(now() / 1000)
    count = present === second ? count + 1 : 1
    second = present
    return count > knobs.callsPerSecond
  }
}
