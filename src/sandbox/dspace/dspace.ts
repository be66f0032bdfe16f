/**
 * DSpace and DSpace-CRIS as a bridge sees them: log-in with CSRF double submit and a JWT, people, groups, and
 * registrations that end in a mail. Releases differ by `flavour`; unverified points are knobs.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { PlatformLogic, SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { badRequest, basePath, denied, empty, notFound, Refusal, springError } from './answers.ts'
import type { Call, Route } from './call.ts'
import { checkCsrf, csrfCookie, withRotatedToken, withToken } from './csrf.ts'
import { epersonRoutes } from './epersons.ts'
import { groupRoutes } from './groups.ts'
import { type DspaceKnobs, knobsOf } from './knobs.ts'
import { createMemberRoutes } from './members.ts'
import { registrationRoutes } from './registration.ts'
import { createRegistrations, type Mail, type Registration } from './registrations.ts'
import { isAdministrator } from './rights.ts'
import { createSignIn } from './signin.ts'
import { siteRoutes } from './site.ts'
import { type SingleSignOn, signInBySso } from './sso.ts'
import {
  administratorGroup,
  anonymousGroup,
  createState,
  type DspaceState,
  type EPerson,
  type Group,
  type NewEPerson,
  type NewGroup,
} from './state.ts'

export interface DspaceOptions {
  /** Release: `7.0` … `10.0`, `cris-2021.01` … `cris-2025.02`; 9.3 unless given. */
  readonly flavour?: string
  /** An administrator's; random password unless given. */
  readonly credentials?: { readonly user: string; readonly password: string }
  /** Beside what the release itself does. */
  readonly knobs?: Partial<DspaceKnobs>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface DspaceSimulator extends PlatformLogic {
  readonly credentials: { readonly user: string; readonly password: string }
  readonly state: DspaceState
  /** May be changed at any time. */
  readonly knobs: DspaceKnobs
  /** The account whose credentials these are; member of Administrator. */
  readonly administrator: EPerson
  /** Mails with registration tokens, oldest first. */
  readonly mails: readonly Mail[]
  /** Pending registrations by token. */
  readonly registrations: ReadonlyMap<string, Registration>
  /** By hand; throws when the e-mail or netid is taken. */
  addEPerson(person: NewEPerson): EPerson
  /** By hand; the next four throw when there is nobody of that e-mail. */
  setCanLogIn(email: string, canLogIn: boolean): void
  setPassword(email: string, password: string): void
  changeEmail(email: string, to: string): void
  removeEPerson(email: string): void
  addGroup(group: NewGroup): Group
  group(name: string): Group | undefined
  join(group: Group, person: EPerson): void
  leave(group: Group, person: EPerson): void
  /** Lower-case e-mails of the direct members, sorted. */
  memberEmails(groupName: string): string[]
  /** Somebody comes by single sign-on, with what the identity provider sends. */
  signIn(arrival: SingleSignOn): ReturnType<typeof signInBySso>
  /** Kills all JWTs, as a restart without a configured secret does. */
  restart(): void
}

const routes: readonly Route[] = [...siteRoutes, ...epersonRoutes, ...groupRoutes, ...registrationRoutes]

export function createDspace(options: DspaceOptions = {}): DspaceSimulator {
  const now = options.now ?? Date.now
  const credentials = options.credentials ?? {
    user: 'bridge@sandbox.example.org',
    password: randomBytes(24).toString('base64url'),
  }
  const knobs: DspaceKnobs = { ...knobsOf(options.flavour ?? '9.3'), ...options.knobs }
  const state = createState()
  const signIn = createSignIn(state, knobs, now)
  const registrations = createRegistrations(state, knobs, now)
  const administrator = furnish(state, credentials)
  const siteUuid = randomUUID()
  const allRoutes = [...routes, ...createMemberRoutes()]

  const dispatch = async (request: SimulatorRequest): Promise<SimulatorAnswer> => {
    const caller = callerOf(request)
    const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path
    let isKnown = false
    for (const [method, pattern, answer] of allRoutes) {
      const parts = pattern.exec(path)
      if (parts === null) continue
      isKnown = true
      if (method !== request.method) continue
      const ids = parts.slice(1).map((id) => id.toLowerCase())
      const baseUrl = `http://${request.headers.host ?? '127.0.0.1'}${basePath}`
      const call: Call = { state, knobs, registrations, siteUuid, request, caller, baseUrl, ids, now }
      return await answer(call)
    }
    throw isKnown ? new Refusal(405, "This repository doesn't provide or implement the requested method") : notFound()
  }

  const callerOf = (request: SimulatorRequest): EPerson | undefined => {
    const caller = signIn.caller(request)
    const other = request.headers['x-on-behalf-of']
    if (other === undefined) return caller
    if (!knobs.assumeLogin) throw badRequest('The login as feature is not allowed')
    if (!isAdministrator(state, caller)) throw denied(caller !== undefined)
    const person = state.epersons.get(other.toLowerCase())
    if (person === undefined) throw badRequest('There is no such eperson')
    return person
  }

  const respond = async (request: SimulatorRequest): Promise<SimulatorAnswer> => {
    try {
      return await dispatch(request)
    } catch (cause) {
      if (cause instanceof Refusal) return springError(cause.status, cause.message, request, now())
      throw cause
    }
  }

  /** Before anything else is looked at, the JWT included. */
  const respondToWrite = async (request: SimulatorRequest): Promise<SimulatorAnswer> => {
    const check = checkCsrf(request)
    if (check === 'invalid') {
      return withRotatedToken(springError(403, 'Access is denied. Invalid CSRF token.', request, now()))
    }
    if (request.method === 'POST' && request.path === '/api/authn/login') return login(request)
    if (request.method === 'POST' && request.path === '/api/authn/logout') {
      signIn.logout(request)
      return withRotatedToken(empty(204))
    }
    const answer = await respond(request)
    return check === 'used as parameter' ? withRotatedToken(answer) : answer
  }

  const login = (request: SimulatorRequest): SimulatorAnswer => {
    try {
      return withRotatedToken(signIn.login(request))
    } catch (cause) {
      if (cause instanceof Refusal) return springError(cause.status, cause.message, request, now())
      throw cause
    }
  }

  const respondToRead = async (request: SimulatorRequest): Promise<SimulatorAnswer> => {
    if (request.path === '/api/security/csrf' && knobs.csrfEndpoint) return withToken(empty(204))
    const answer = await respond(request)
    return knobs.tokenOnGet && csrfCookie(request) === undefined ? withToken(answer) : answer
  }

  const named = (email: string): EPerson => {
    const person = state.byEmail(email)
    if (person === undefined) throw new Error(`Nobody here has the e-mail ${email}.`)
    return person
  }

  return {
    basePath,
    credentials,
    state,
    knobs,
    administrator,
    mails: registrations.mails,
    registrations: registrations.rows,
    answer: (request) => (changes(request) ? respondToWrite(request) : respondToRead(request)),
    refuseCredentials: (request) => springError(401, 'Authentication is required', request, now()),
    serverError: (request) => springError(500, 'An exception has occurred', request, now()),
    isWrite: (request) => changes(request) && request.path !== '/api/authn/login',
    addEPerson(person) {
      const netid = person.netid ?? undefined
      const isTaken =
        state.byEmail(person.email) !== undefined || (netid !== undefined && state.byNetid(netid) !== undefined)
      if (isTaken) throw new Error('The e-mail or netid is taken.')
      return state.add(person)
    },
    setCanLogIn(email, canLogIn) {
      named(email).canLogIn = canLogIn
    },
    setPassword(email, password) {
      named(email).password = password
    },
    changeEmail: (email, to) => state.change(named(email), { email: to }),
    removeEPerson: (email) => state.remove(named(email)),
    addGroup: (group) => state.addGroup(group),
    group: (name) => state.byName(name),
    join: (group, person) => state.join(group, person),
    leave: (group, person) => state.leave(group, person),
    memberEmails: (name) =>
      [...(state.byName(name)?.members ?? [])].flatMap((uuid) => state.epersons.get(uuid)?.email ?? []).sort(),
    signIn: (arrival) => signInBySso(state, arrival),
    restart: () => signIn.restart(),
  }
}

function changes(request: SimulatorRequest): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
}

/** The groups that every repository has, one role, two ordinary groups, and the account of the credentials. */
function furnish(state: DspaceState, credentials: DspaceSimulator['credentials']): EPerson {
  const administrators = state.addGroup({ name: administratorGroup, permanent: true })
  state.addGroup({ name: anonymousGroup, permanent: true })
  const collection = { uuid: randomUUID(), name: 'Theses', type: 'collection' } as const
  state.addGroup({ name: `COLLECTION_${collection.uuid}_ADMIN`, object: collection })
  state.addGroup({ name: 'Researchers' })
  state.addGroup({ name: 'Library Staff' })
  const administrator = state.add({
    email: credentials.user,
    firstName: 'Repository',
    lastName: 'Bridge',
    canLogIn: true,
    password: credentials.password,
  })
  state.join(administrators, administrator)
  return administrator
}
