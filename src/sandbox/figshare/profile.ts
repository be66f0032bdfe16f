/** `PUT /account/profile`: the public author's names, title and links. */
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { invalid, json, notFound, parseObject } from './answers.ts'
import { type Caller, visibleAccount } from './signin.ts'
import type { FigshareAccount, FigshareState } from './state.ts'

const textFields = new Set(['location', 'bio', 'facebook', 'x', 'linkedin'])
const listFields = new Set(['fields_of_interest', 'fields_of_interest_by_source_id', 'personal_profiles'])
const nameLength = 255
const mostPersonalProfiles = 10

/** Fields that are not known are ignored. */
export function updateProfile(state: FigshareState, caller: Caller, request: SimulatorRequest): SimulatorAnswer {
  const account = accountOf(state, caller, request.query)
  const changes = new Map<string, unknown>()
  for (const [name, value] of Object.entries(parseObject(request.body, state.knobs))) {
    const isText = name === 'first_name' || name === 'last_name' || name === 'job_title' || name === 'orcid'
    const isValid =
      isText || textFields.has(name) ? typeof value === 'string' : !listFields.has(name) || Array.isArray(value)
    if (!isValid) throw invalid(state.knobs, `${name} is not valid`)
    if (isText && String(value).length > nameLength) throw invalid(state.knobs, `${name} is too long`)
    if (name === 'last_name' && value === '') throw invalid(state.knobs, 'last_name is required')
    if (name === 'personal_profiles' && Array.isArray(value) && value.length > mostPersonalProfiles) {
      throw invalid(state.knobs, 'Too many personal_profiles')
    }
    if (isText || textFields.has(name) || listFields.has(name)) changes.set(name, value)
  }
  apply(state, account, changes)
  return json(200, { code: 200, message: 'OK' })
}

/** By author id or by SSO key; without either it is the caller's own. */
function accountOf(state: FigshareState, caller: Caller, query: URLSearchParams): FigshareAccount {
  const userId = query.get('user_id')
  const key = query.get('institution_user_id')
  if (userId === null && key === null) return caller.account
  const found = userId === null ? state.byUserId(key ?? '')[0] : state.byAuthor(Number(userId))
  const account = found === undefined ? undefined : visibleAccount(state, caller, found.id)
  if (account === undefined) throw notFound('The user')
  return account
}

function apply(state: FigshareState, account: FigshareAccount, changes: ReadonlyMap<string, unknown>): void {
  const { profile } = account
  for (const [name, value] of changes) {
    if (name === 'first_name') profile.first_name = String(value)
    else if (name === 'last_name') profile.last_name = String(value)
    else if (name === 'job_title') profile.job_title = String(value)
    else if (name === 'orcid') profile.orcid = String(value)
    else profile.more.set(name, value)
  }
  if (!state.knobs.profileReachesAccount) return
  account.first_name = profile.first_name
  account.last_name = profile.last_name
  account.modifiedAt = state.now()
}
