/** Accounts: create, show, and the two fields that can be changed. */
import type { SimulatorAnswer } from '../simulator.ts'
import { empty, invalid, json, parseObject, Refusal } from './answers.ts'
import type { FigshareKnobs } from './knobs.ts'
import type { FigshareAccount, FigshareState, NewAccount } from './state.ts'

const emailLength = { least: 3, most: 150 }
const nameLength = 255
const keyLength = 50
const institutionId = 1
const maximumFileSize = 5_000_000_000

/** List and search: no `group_id`. */
export function showShort(account: FigshareAccount) {
  return {
    id: account.id,
    first_name: account.first_name,
    last_name: account.last_name,
    institution_id: institutionId,
    email: account.email,
    // An integer here, an integer in filters, a boolean in bodies.
    active: account.active ? 1 : 0,
    institution_user_id: account.institution_user_id,
    quota: account.quota,
    used_quota: account.used_quota,
    user_id: account.profile.user_id,
    orcid_id: account.profile.orcid,
    symplectic_user_id: account.symplectic_user_id,
  }
}

export function showAccount(account: FigshareAccount) {
  return {
    ...showShort(account),
    group_id: account.group_id,
    created_date: toDate(account.createdAt),
    modified_date: toDate(account.modifiedAt),
    used_quota_private: account.used_quota,
    used_quota_public: 0,
    pending_quota_request: false,
    maximum_file_size: maximumFileSize,
  }
}

/** The public author: boolean state, and an id of another number space. */
export function showUser(account: FigshareAccount) {
  const { user_id, first_name, last_name, job_title, orcid } = account.profile
  const name = `${first_name} ${last_name}`.trim()
  return {
    id: user_id,
    first_name,
    last_name,
    name,
    is_active: account.active,
    url_name: name.replaceAll(' ', '_'),
    is_public: false,
    job_title,
    orcid_id: orcid,
  }
}

function toDate(at: number): string {
  return new Date(at).toISOString().slice(0, 19)
}

export function createAccount(state: FigshareState, body: string): SimulatorAnswer {
  const wanted = toNewAccount(state, parseObject(body, state.knobs))
  const isTaken =
    state.byEmail(wanted.email).length > 0 ||
    state.foreignEmails.has(wanted.email.toLowerCase()) ||
    (wanted.institution_user_id !== undefined && state.byUserId(wanted.institution_user_id).length > 0)
  if (isTaken) throw new Refusal(state.knobs.duplicateStatus, 'AccountExists', 'An account with these details exists')
  const account = state.add(wanted)
  if (account.institution_user_id === '') state.mails.push({ kind: 'verification', to: account.email })
  return state.knobs.createAnswers === 'empty' ? empty(201) : json(201, { account_id: account.id })
}

function toNewAccount(state: FigshareState, body: Readonly<Record<string, unknown>>): NewAccount {
  const { knobs } = state
  const email = toText(knobs, body, 'email', emailLength.most)
  if (email === undefined || email.length < emailLength.least || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw invalid(knobs, 'email is not a valid address')
  }
  const lastName = toText(knobs, body, 'last_name', nameLength)
  if (lastName === undefined || lastName.trim() === '') throw invalid(knobs, 'last_name is required')
  const firstName = toText(knobs, body, 'first_name', nameLength) ?? ''
  if (firstName.length + lastName.length > nameLength)
    throw invalid(knobs, 'first_name and last_name are too long together')
  const institutionUserId = toText(knobs, body, 'institution_user_id', keyLength)
  const symplecticId = toText(knobs, body, 'symplectic_user_id', keyLength)
  const quota = toInteger(knobs, body, 'quota')
  if (quota !== undefined && quota < 0) throw invalid(knobs, 'quota is not a size')
  const groupId = toInteger(knobs, body, 'group_id')
  checkGroup(state, groupId)
  const isActive = body.is_active
  if (isActive !== undefined && typeof isActive !== 'boolean') throw invalid(knobs, 'is_active is not a boolean')
  return {
    email,
    first_name: firstName,
    last_name: lastName,
    ...(groupId === undefined ? {} : { group_id: groupId }),
    ...(institutionUserId === undefined ? {} : { institution_user_id: institutionUserId }),
    ...(symplecticId === undefined ? {} : { symplectic_user_id: symplecticId }),
    ...(quota === undefined ? {} : { quota }),
    ...(isActive === undefined ? {} : { is_active: isActive }),
  }
}

function toText(
  knobs: FigshareKnobs,
  body: Readonly<Record<string, unknown>>,
  name: string,
  longest: number,
): string | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || [...value].length > longest) throw invalid(knobs, `${name} is not valid`)
  return value
}

function toInteger(knobs: FigshareKnobs, body: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(knobs, `${name} is not an integer`)
  return value
}

function checkGroup(state: FigshareState, groupId: number | undefined): void {
  if (groupId !== undefined && !state.groups.has(groupId)) throw invalid(state.knobs, 'group_id is not a group')
}

/** Both fields are required, whatever is meant to change; 205 has no body. */
export function updateAccount(state: FigshareState, account: FigshareAccount, body: string): SimulatorAnswer {
  const { knobs } = state
  const fields = parseObject(body, knobs)
  const groupId = toInteger(knobs, fields, 'group_id')
  const isActive = fields.is_active
  if (groupId === undefined || typeof isActive !== 'boolean')
    throw invalid(knobs, 'group_id and is_active are required')
  const extra = Object.keys(fields).find((name) => name !== 'group_id' && name !== 'is_active')
  if (extra !== undefined && knobs.extraFieldsInPut === 400) throw invalid(knobs, `${extra} cannot be changed`)
  checkGroup(state, groupId)
  const isUnchanged = groupId === account.group_id && isActive === account.active
  if (isUnchanged && knobs.unchangedPut === 400) throw invalid(knobs, 'Nothing would change')
  if (account.active && !isActive && knobs.rolesOnDeactivation === 'dropped') account.roles.clear()
  account.group_id = groupId
  account.active = isActive
  account.modifiedAt = state.now()
  return empty(205)
}
