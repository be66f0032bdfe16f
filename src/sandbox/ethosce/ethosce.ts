/**
 * EthosCE as a bridge sees it: Drupal 7 with restws. Every failure is 403, 404, 406, 412, 422 or a page without a reason;
 * nothing guards a client against itself.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { PlatformLogic, SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { accessDenied, crash, pageNotFound, Refusal, sitePage, text, textLine } from './answers.ts'
import { insertMembership, insertNode } from './groups.ts'
import { defaultProfileFields, type ProfileFields } from './profiles.ts'
import { isRecord } from './property.ts'
import { createResources, type Resource, type Site } from './resources.ts'
import { type Caller, createSignIn } from './signin.ts'
import { createState, defaultKnobs, type EthosceKnobs, type EthosceState, type UserRow } from './state.ts'
import { insertAnonymous, insertUser, type NewUser } from './users.ts'

export interface EthosceOptions {
  /** The service account; its name begins with `restws`. The password is random unless given. */
  readonly credentials?: { readonly user: string; readonly password: string }
  readonly knobs?: Partial<EthosceKnobs>
  readonly profileFields?: ProfileFields
  /** Machine names of the site's roles beside the usual ones. */
  readonly roles?: readonly string[]
  /** Users after uid 2, the service account. */
  readonly users?: readonly NewUser[]
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface EthosceSimulator extends PlatformLogic {
  readonly credentials: { readonly user: string; readonly password: string }
  readonly state: EthosceState
  /** May be changed at any time, `collation` excepted. */
  readonly knobs: EthosceKnobs
  addUser(user: NewUser): UserRow
  userByName(name: string): UserRow | undefined
  /** A person's browser session; it ends when the person is blocked. */
  openSession(uid: number): string
  hasSession(id: string): boolean
  clearFlood(): void
}

const usualRoles = [
  'course_author',
  'reviewer',
  'report_viewer',
  'site_admin',
  'course_admin',
  'support',
  'web_service',
]
const tokenPath = '/restws/session/token'
const menuPaths = new Set(['user', 'node'])

/** EthosCE's role_export module: the last seven hex digits of the machine name's md5. */
export function roleId(machineName: string): number {
  return Number.parseInt(createHash('md5').update(machineName).digest('hex').slice(-7), 16)
}

export function createEthosce(options: EthosceOptions = {}): EthosceSimulator {
  const now = options.now ?? Date.now
  const credentials = options.credentials ?? { user: 'restws_bridge', password: randomBytes(18).toString('base64url') }
  const knobs: EthosceKnobs = { ...defaultKnobs, ...options.knobs }
  const roles = new Set([...usualRoles, ...(options.roles ?? [])].map(roleId))
  const state = createState(knobs, roles, now)
  const signIn = createSignIn(state, now)
  const fields = options.profileFields ?? defaultProfileFields

  insertAnonymous(state)
  const administrator = insertUser(state, { name: 'admin', mail: 'admin@example.test', status: 1, roles: [] })
  insertUser(state, {
    name: credentials.user,
    mail: 'restws@example.test',
    status: 1,
    roles: [roleId('web_service')],
    password: credentials.password,
    rights: 'full',
  })
  for (const user of options.users ?? []) insertUser(state, user)
  for (const title of ['Cardiology learners', 'Residents 2026']) {
    const node = insertNode(state, 'group', title, administrator.uid)
    insertMembership(state, node.nid, administrator.uid)
  }

  const resources = createResources(state, fields, (uid) => signIn.endSessionsOf(uid))
  const isBusy = createThrottle(knobs, now)

  return {
    basePath: '',
    credentials,
    state,
    knobs,
    answer(request) {
      if (isBusy()) return { status: knobs.throttleStatus, headers: { 'content-type': 'text/html; charset=UTF-8' } }
      const caller = signIn.authenticate(request)
      return withHeaders(respond(request, caller), caller?.setCookie)
    },
    refuseCredentials: (request) => withHeaders(refuse(request.path)),
    serverError: () => withHeaders(crash()),
    isWrite,
    skipIds: (count) => state.users.skipIds(count),
    addUser: (user) => insertUser(state, user),
    userByName: (name) => {
      const [uid] = state.usersByName.get(state.fold(name))
      return uid === undefined ? undefined : state.users.rows.get(uid)
    },
    openSession: (uid) => signIn.openSession(uid),
    hasSession: (id) => signIn.hasSession(id),
    clearFlood: () => signIn.clearFlood(),
  }

  function respond(request: SimulatorRequest, caller: Caller | undefined): SimulatorAnswer {
    const origin = `http://${request.headers.host ?? 'localhost'}`
    if (knobs.maintenance) {
      return { status: 302, headers: { location: `${origin}/`, 'content-type': 'text/html; charset=UTF-8' }, body: '' }
    }
    if (request.path === tokenPath) return sessionToken(request)
    try {
      return dispatch(request, origin, caller)
    } catch (cause) {
      if (cause instanceof Refusal) return cause.answer
      throw cause
    }
  }

  function sessionToken(request: SimulatorRequest): SimulatorAnswer {
    const token = signIn.token(request)
    if (token === undefined) return text(403)
    return { status: 200, headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: token }
  }

  function dispatch(request: SimulatorRequest, origin: string, caller: Caller | undefined): SimulatorAnswer {
    const parts = /^\/([a-z0-9_]+)(?:\/([^/.]+))?(?:\.(json|xml))?$/.exec(request.path)
    const name = parts?.[1] ?? ''
    const id = parts?.[2]
    const hasSuffix = parts?.[3] !== undefined
    // Exposed by the entity module, and nobody has the right.
    if (name === 'profile2_type') return text(403)
    const resource = resources.get(name)
    if (parts === null || resource === undefined) return pageNotFound()
    const { method } = request
    const hasBody = method === 'POST' || method === 'PUT'
    const isJson = /^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '')
    if (hasBody && !isJson) return pageNotFound()
    if (caller === undefined || caller.user.rights === 'none') return refuse(request.path)
    const isChange = isWrite(request)
    if (isChange && signIn.isForged(request)) return textLine(403, '403 Access Denied: CSRF validation failed')
    const site: Site = { state, origin, request, caller: caller.user }
    const isLimited = caller.user.rights === 'limited'
    if (isLimited && (isChange || name !== 'user')) return text(403)
    if (method === 'POST') return resource.create(site, toBody(request.body))
    if (isChange && hasSuffix) return crash()
    if (method === 'PUT') return resource.update(site, id, toBody(request.body))
    if (method === 'DELETE') return resource.remove(site, id)
    return read(resource, site, name, id, hasSuffix)
  }
}

/** PATCH is read as GET. */
function isWrite(request: SimulatorRequest): boolean {
  return ['POST', 'PUT', 'DELETE'].includes(request.method)
}

/** Everything that is not a write is a read, PATCH included; without suffix the `Accept` header decides. */
function read(resource: Resource, site: Site, name: string, id: string | undefined, hasSuffix: boolean) {
  const wantsJson = hasSuffix || (site.request.headers.accept ?? '').includes('application/json')
  if (wantsJson) return id === undefined ? resource.list(site) : resource.read(site, id)
  // The person's own page, which dies on PHP 8.
  return menuPaths.has(name) && id !== undefined ? sitePage(500, 'Error') : pageNotFound()
}

/** One line of text, but a page where the path is one of the site's own. */
function refuse(path: string): SimulatorAnswer {
  return /^\/(user|node)\/./.test(path) ? accessDenied() : text(403)
}

/** A list is an object with the keys 0, 1, …; anything else that is not an object crashes. */
function toBody(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body)
    if (isRecord(parsed)) return parsed
    if (Array.isArray(parsed)) return Object.fromEntries(parsed.entries())
  } catch {
    // Answered below.
  }
  throw new Refusal(crash())
}

function withHeaders(answer: SimulatorAnswer, setCookie?: string): SimulatorAnswer {
  const headers = { 'cache-control': 'no-cache, must-revalidate', ...answer.headers }
  return { ...answer, headers: setCookie === undefined ? headers : { ...headers, 'set-cookie': setCookie } }
}

function createThrottle(knobs: EthosceKnobs, now: () => number): () => boolean {
  let recent: number[] = []
  return () => {
    if (!Number.isFinite(knobs.callsPerSecond)) return false
    recent = recent.filter((at) => now() - at < 1000)
    if (recent.length >= knobs.callsPerSecond) return true
    recent.push(now())
    return false
  }
}
