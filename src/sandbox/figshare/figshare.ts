/**
 * Figshare as a bridge sees it: the v2 REST API for institutional administrators. Accounts can be made and found; of an
 * account only its group and whether it is on can be changed.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformLogic, SeedPerson, SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { createAccount, showAccount, showUser, updateAccount } from './accounts.ts'
import { isRecord, json, notFound, parseObject, Refusal, toAnswer } from './answers.ts'
import { createHrFeed, type HrFeed } from './hrfeed.ts'
import { defaultKnobs, type FigshareKnobs } from './knobs.ts'
import { listAccounts } from './listing.ts'
import { updateProfile } from './profile.ts'
import { addRoles, removeRole, showRoles } from './roles.ts'
import { type Caller, createTokens, refusal, visibleAccount } from './signin.ts'
import { createState, type FigshareAccount, type FigshareState, type NewAccount, topGroupId } from './state.ts'

export interface FigshareOptions {
  /** The administrator's personal token; random unless given. */
  readonly credentials?: { readonly token: string }
  readonly knobs?: Partial<FigshareKnobs>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface FigshareSimulator extends PlatformLogic {
  readonly credentials: { readonly token: string }
  readonly state: FigshareState
  /** May be changed at any time. */
  readonly knobs: FigshareKnobs
  /** The account of the administrator whose token it is. */
  readonly administrator: FigshareAccount
  /** By hand, without any check: twins are possible. */
  addAccount(account: NewAccount): FigshareAccount
  removeAccount(id: number): void
  /** Another personal token; with `topGroup` its owner sees only people of that group and below. */
  addToken(token: string, accountId: number, topGroup?: number): void
  withdrawToken(token: string): void
  /** Adds accounts in bulk; returns their ids in the same order. */
  seed(people: Iterable<SeedPerson>): number[]
}

interface Call {
  readonly state: FigshareState
  readonly feed: HrFeed
  readonly caller: Caller
  readonly request: SimulatorRequest
  /** Numbers of the path, in order. */
  readonly ids: readonly number[]
}

type Route = readonly [method: string, path: RegExp, answer: (call: Call) => SimulatorAnswer]

const routes: readonly Route[] = [
  ['GET', /^\/account$/, ({ state, caller, request }) => json(200, showAccount(impersonated(state, caller, request)))],
  ['PUT', /^\/account\/profile$/, ({ state, caller, request }) => updateProfile(state, caller, request)],
  [
    'GET',
    /^\/account\/institution$/,
    () => json(200, { id: 1, name: 'Sandbox University', domain: 'sandbox.example.org' }),
  ],
  ['GET', /^\/account\/institution\/groups$/, ({ state }) => json(200, [...state.groups.values()].map(showGroup))],
  ['GET', /^\/account\/institution\/roles$/, ({ state }) => json(200, [...state.roles.values()])],
  [
    'GET',
    /^\/account\/institution\/accounts$/,
    ({ state, caller, request }) => json(200, listAccounts(state, caller, new Map(request.query))),
  ],
  [
    'POST',
    /^\/account\/institution\/accounts\/search$/,
    ({ state, caller, request }) => json(200, listAccounts(state, caller, searchFields(state, request.body))),
  ],
  ['POST', /^\/account\/institution\/accounts$/, ({ state, request }) => createAccount(state, request.body)],
  ['GET', /^\/account\/institution\/accounts\/(\d+)$/, (call) => json(200, showAccount(accountOf(call)))],
  [
    'PUT',
    /^\/account\/institution\/accounts\/(\d+)$/,
    (call) => updateAccount(call.state, accountOf(call), call.request.body),
  ],
  ['GET', /^\/account\/institution\/users\/(\d+)$/, (call) => json(200, showUser(accountOf(call)))],
  ['GET', /^\/account\/institution\/roles\/(\d+)$/, (call) => showRoles(call.state, accountOf(call))],
  [
    'POST',
    /^\/account\/institution\/roles\/(\d+)$/,
    (call) => addRoles(call.state, accountOf(call), call.request.body),
  ],
  [
    'DELETE',
    /^\/account\/institution\/roles\/(\d+)\/(\d+)\/(\d+)$/,
    (call) => removeRole(accountOf(call), call.ids[1] ?? 0, call.ids[2] ?? 0),
  ],
  ['POST', /^\/institution\/hrfeed\/upload$/, ({ feed, request }) => feed.upload(request)],
  [
    'GET',
    /^\/symplectic\/users\/(\d+)$/,
    ({ state, ids }) => {
      const account = state.byAuthor(ids[0] ?? 0)
      if (account === undefined) throw notFound('The user')
      return json(200, { institutionUserId: account.institution_user_id })
    },
  ],
]

export function createFigshare(options: FigshareOptions = {}): FigshareSimulator {
  const now = options.now ?? Date.now
  const credentials = options.credentials ?? { token: randomBytes(32).toString('hex') }
  const knobs: FigshareKnobs = { ...defaultKnobs, ...options.knobs }
  const state = createState(knobs, now)
  const tokens = createTokens(state)
  const feed = createHrFeed(state)
  const administrator = state.add({
    email: 'administrator@sandbox.example.org',
    first_name: 'Portal',
    last_name: 'Administrator',
    institution_user_id: 'portal-administrator',
  })
  administrator.roles.set(topGroupId, new Set([2]))
  tokens.add(credentials.token, administrator.id, topGroupId)
  const isBusy = createThrottle(knobs, now)

  const respond = (request: SimulatorRequest): SimulatorAnswer => {
    feed.run()
    if (isBusy()) throw new Refusal(knobs.throttleStatus, 'TooManyRequests', 'Slow down')
    const caller = tokens.authenticate(request)
    for (const [method, path, answer] of routes) {
      const parts = method === request.method ? path.exec(request.path) : null
      if (parts !== null) return answer({ state, feed, caller, request, ids: parts.slice(1).map(Number) })
    }
    throw notFound('The resource')
  }

  return {
    basePath: '/v2',
    credentials,
    skipIds: (count) => state.skipIds(count),
    state,
    knobs,
    administrator,
    async answer(request) {
      if (knobs.latencyMs > 0) await sleep(knobs.latencyMs)
      try {
        return respond(request)
      } catch (cause) {
        if (cause instanceof Refusal) return toAnswer(cause, knobs)
        throw cause
      }
    },
    refuseCredentials: () => toAnswer(refusal(state), knobs),
    serverError: () => json(500, { message: 'Internal server error', code: 'InternalError', data: null }),
    isWrite: (request) => request.method !== 'GET' && request.method !== 'HEAD' && !request.path.endsWith('/search'),
    addAccount: (account) => state.add(account),
    removeAccount: (id) => state.remove(id),
    addToken: (token, accountId, topGroup = topGroupId) => tokens.add(token, accountId, topGroup),
    withdrawToken: (token) => tokens.withdraw(token),
    seed: (people) => {
      const ids: number[] = []
      for (const person of people) ids.push(state.add(toAccount(state, person)).id)
      return ids
    },
  }
}

function toAccount(state: FigshareState, person: SeedPerson): NewAccount {
  const group = [...state.groups.values()].find((candidate) => candidate.association_criteria === person.department)
  return {
    email: person.email,
    first_name: person.givenName,
    last_name: person.familyName,
    institution_user_id: person.userName,
    job_title: person.title,
    group_id: group?.id ?? topGroupId,
  }
}

function accountOf(call: Call): FigshareAccount {
  const account = visibleAccount(call.state, call.caller, call.ids[0] ?? 0)
  if (account === undefined) throw notFound('The account')
  return account
}

function impersonated(state: FigshareState, caller: Caller, request: SimulatorRequest): FigshareAccount {
  const id = request.query.get('impersonate')
  if (id === null) return caller.account
  const account = visibleAccount(state, caller, Number(id))
  if (account === undefined) throw notFound('The account')
  return account
}

/** A search has no `id_gte` and `id_lte`; an empty body asks for everything. */
function searchFields(state: FigshareState, body: string): Map<string, unknown> {
  const parsed = body === '' ? {} : parseObject(body, state.knobs)
  const fields = new Map(Object.entries(isRecord(parsed) ? parsed : {}))
  fields.delete('id_gte')
  fields.delete('id_lte')
  return fields
}

function showGroup(group: { id: number; name: string; parent_id: number; association_criteria: string }) {
  return { ...group, resource_id: String(group.id), upload_access: 'All Users' }
}

function createThrottle(knobs: FigshareKnobs, now: () => number): () => boolean {
  let recent: number[] = []
  return () => {
    if (!Number.isFinite(knobs.callsPerSecond)) return false
    recent = recent.filter((at) => now() - at < 1000)
    if (recent.length >= knobs.callsPerSecond) return true
    recent.push(now())
    return false
  }
}
