/** What only the person can change: the profile, the e-mail address and the password. */
import { randomBytes } from 'node:crypto'
import type { SimulatorAnswer } from '../simulator.ts'
import { invalidField, json, noContent, refusal, taken } from './answers.ts'
import { type Call, type Route, selfUnblocked, touch, userOf } from './call.ts'
import {
  type FieldReader,
  fieldReader,
  isEmail,
  isStrongPassword,
  isUsername,
  isWebAddress,
  readFields,
  requiredText,
  toBoolean,
  usernameMaxLength,
} from './input.ts'
import { showUser } from './show.ts'
import { readImage } from './signup.ts'
import { type CommunityUser, pictureUrl, type SelfcommunityState } from './state.ts'

export const profileRoutes: readonly Route[] = [
  ['PATCH', /^\/user\/(\d+)\/$/, (call) => updateProfile(call, 'part')],
  ['PUT', /^\/user\/(\d+)\/$/, (call) => updateProfile(call, 'whole')],
  ['PATCH', /^\/user\/(\d+)\/change_email\/$/, changeEmail],
  ['POST', /^\/user\/(\d+)\/confirm_email\/$/, confirmEmail],
  ['PATCH', /^\/user\/(\d+)\/change_password\/$/, changePassword],
]

const textLimits = { real_name: 255, bio: 10_000, location: 100, description: 50, website: 200 } as const
const textNames = ['real_name', 'bio', 'location', 'description', 'website'] as const
const genders = ['Male', 'Female', 'Unspecified'] as const

/** `PUT` empties what it does not name, and needs the user name. */
function updateProfile(call: Call, extent: 'part' | 'whole'): SimulatorAnswer {
  const user = selfUnblocked(call)
  const { state } = call
  const fields = readFields(call.request)
  const reader = fieldReader(fields)
  if (extent === 'whole') reader.require('username')
  const username = readUsername(state, user, reader)
  const texts = textNames.map((name) => [name, reader.text(name, { most: textLimits[name] })] as const)
  const website = texts.find(([name]) => name === 'website')?.[1]
  if (website !== undefined && website !== '' && !isWebAddress(website)) {
    reader.report('website', 'invalid', 'Enter a valid URL.')
  }
  const gender = reader.choice('gender', genders)
  const birth = fields.get('date_of_birth') === null ? null : reader.text('date_of_birth')
  if (typeof birth === 'string' && !isDate(birth)) reader.report('date_of_birth', 'invalid', 'YYYY-MM-DD is required.')
  const image = readImage(reader, 'avatar_base64')
  reader.finish()

  for (const [name, text] of texts) {
    if (text !== undefined || extent === 'whole') user[name] = text ?? null
  }
  if (gender !== undefined || extent === 'whole') user.gender = gender ?? null
  if (birth !== undefined || extent === 'whole') user.date_of_birth = birth ?? null
  if (image !== undefined) user.avatar = pictureUrl('avatar', user.id, state.now())
  for (const name of state.knobs.metadataFields) {
    if (fields.has(name)) user.metadata.set(name, fields.get(name))
    else if (extent === 'whole') user.metadata.delete(name)
  }
  if (username !== undefined) state.setUsername(user, username)
  touch(call, user.id)
  return json(200, showUser(state, user))
}

/** Two official pages contradict each other on whether it can be changed. */
function readUsername(state: SelfcommunityState, user: CommunityUser, reader: FieldReader): string | undefined {
  const username = reader.text('username', { least: 1, most: usernameMaxLength })
  if (username === undefined || username === user.username || state.knobs.usernameInPatch === 'ignored')
    return undefined
  if (state.knobs.usernameInPatch === 400) throw invalidField('username', 'invalid', 'This field is read-only.')
  if (!isUsername(username)) reader.report('username', 'invalid', 'Enter a valid username.')
  if (state.byUsername(username) !== undefined) throw taken(state.knobs, 'username')
  return username
}

function isDate(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** At once, or after a code when `confirm` is set. */
function changeEmail(call: Call): SimulatorAnswer {
  const user = selfUnblocked(call)
  const fields = readFields(call.request)
  const email = requiredText(fields, 'new_email')
  if (email.toLowerCase() === user.email?.toLowerCase()) {
    throw refusal(400, 'invalid', 'The new email must be different from the current one.')
  }
  refuseBadEmail(call.state, email)
  if (toBoolean(fields.get('confirm')) === true) {
    user.pendingEmail = { email, code: randomBytes(16).toString('hex') }
    return json(200, { validation_code: user.pendingEmail.code })
  }
  takeEmail(call, user, email)
  return noContent
}

function confirmEmail(call: Call): SimulatorAnswer {
  const user = userOf(call)
  const fields = readFields(call.request)
  const email = requiredText(fields, 'new_email')
  const pending = user.pendingEmail
  if (pending === null || pending.email !== email || pending.code !== fields.get('validation_code')) {
    throw invalidField('validation_code', 'invalid', 'The code is not valid.')
  }
  refuseBadEmail(call.state, email)
  takeEmail(call, user, email)
  return noContent
}

function refuseBadEmail(state: SelfcommunityState, email: string): void {
  const isTaken = state.knobs.emailUnique && state.byEmail(email).length > 0
  // One answer for both, so that nobody learns who is here.
  if (isTaken || !isEmail(email)) throw invalidField('new_email', 'invalid', 'Enter a valid email.')
}

function takeEmail(call: Call, user: CommunityUser, email: string): void {
  call.state.setEmail(user, email)
  user.email_isvalid = call.state.knobs.emailValidAfterChange
  user.pendingEmail = null
  touch(call, user.id)
}

/** There is no reset by an administrator: who has no password cannot get one here. */
function changePassword(call: Call): SimulatorAnswer {
  const user = selfUnblocked(call)
  const fields = readFields(call.request)
  const present = requiredText(fields, 'password')
  const wanted = requiredText(fields, 'new_password')
  if (user.password === null || present !== user.password) {
    throw invalidField('password', 'invalid', 'The password is not correct.')
  }
  if (!isStrongPassword(wanted)) {
    throw invalidField('new_password', 'invalid', 'At least 8 characters of three kinds.')
  }
  user.password = wanted
  touch(call, user.id)
  return noContent
}
