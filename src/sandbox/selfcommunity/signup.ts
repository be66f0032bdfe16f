/** `sso/signup/` and `sso/signin/`. An account is made only here; signing in makes none. */
import type { SimulatorAnswer } from '../simulator.ts'
import { invalidFields, json, taken } from './answers.ts'
import { admin, type Call, type Route, signedIn } from './call.ts'
import {
  type FieldReader,
  type Fields,
  fieldReader,
  isEmail,
  isStrongPassword,
  isUsername,
  isWebAddress,
  readFields,
  usernameMaxLength,
} from './input.ts'
import { type CommunityUser, pictureUrl, roles, type SelfcommunityState } from './state.ts'
import { refusalOf } from './tokens.ts'

export const signupRoutes: readonly Route[] = [
  ['POST', /^\/sso\/signup\/$/, signup],
  ['POST', /^\/sso\/signin\/$/, signin],
]

function signup(call: Call): SimulatorAnswer {
  admin(call)
  const { state } = call
  const fields = readFields(call.request)
  const reader = fieldReader(fields)
  reader.require('username')
  const username = reader.text('username', { least: 1, most: usernameMaxLength })
  if (username !== undefined && !isUsername(username)) reader.report('username', 'invalid', 'Enter a valid username.')
  const extId = readExtId(state, fields, reader)
  const email = reader.text('email')
  if (email !== undefined && !isEmail(email)) reader.report('email', 'invalid', 'Enter a valid email address.')
  const realName = reader.text('real_name', { most: 255 })
  const password = reader.text('password')
  if (password !== undefined && !isStrongPassword(password)) {
    reader.report('password', 'invalid', 'At least 8 characters of three kinds.')
  }
  const avatar = reader.text('avatar')
  if (avatar !== undefined && !isWebAddress(avatar)) reader.report('avatar', 'invalid', 'Enter a valid URL.')
  const avatarImage = readImage(reader, 'avatar_base64')
  const coverImage = readImage(reader, 'cover_base64')
  const role = fields.get('role') === null ? undefined : reader.choice('role', roles)
  const tags = reader.ids('tags') ?? []
  if (!tags.every((id) => state.tags.get(id)?.type === 'user' && !state.tags.get(id)?.deleted)) {
    reader.report('tags', 'exist', 'The tag does not exist.')
  }
  reader.finish()
  if (username === undefined) throw invalidFields([['username', 'required', 'This field is required.']])

  // Who was soft-deleted keeps the user name and the ext_id.
  if (state.byUsername(username) !== undefined) throw taken(state.knobs, 'username')
  if (extId !== undefined && state.byLink('external', extId) !== undefined) throw taken(state.knobs, 'ext_id')
  if (email !== undefined && state.knobs.emailUnique && state.byEmail(email).length > 0) {
    throw taken(state.knobs, 'email')
  }
  const user = state.addUser({
    username,
    ext_id: extId ?? null,
    email: email ?? null,
    real_name: realName ?? null,
    password: password ?? null,
    role: role ?? null,
    tags,
    ...(avatar === undefined ? {} : { avatar }),
  })
  if (avatarImage !== undefined) user.avatar = pictureUrl('avatar', user.id, 1)
  if (coverImage !== undefined) user.cover = pictureUrl('cover', user.id, 1)
  return json(201, showSignedUp(user))
}

/** No status, and no word on whether the e-mail address holds. */
function showSignedUp(user: CommunityUser) {
  const { id, ext_id, username, email, role, tags, avatar } = user
  return { id, ext_id, username, ...(email === null ? {} : { email }), role, tags: [...tags], avatar }
}

function readExtId(state: SelfcommunityState, fields: Fields, reader: FieldReader): string | undefined {
  const given = fields.get('ext_id')
  if (given === undefined || given === null) return undefined
  // It was an integer once; what sends one still is understood.
  const extId = Number.isSafeInteger(given) ? String(given) : reader.text('ext_id', { least: 1 })
  if (extId === undefined) return undefined
  if ([...extId].length > state.knobs.extIdMaxLength) reader.report('ext_id', 'max_length', 'The id is too long.')
  if (state.knobs.extIdIntegerOnly && !/^\d+$/.test(extId)) {
    reader.report('ext_id', 'invalid', 'A valid integer is required.')
  }
  return extId
}

/** `image/png;base64,…`, with or without `data:` before it. */
export function readImage(reader: FieldReader, name: string): string | undefined {
  const image = reader.text(name)
  if (image === undefined || /^(?:data:)?image\/[a-z+.-]+;base64,[A-Za-z0-9+/]+=*$/.test(image)) return image
  reader.report(name, 'invalid', 'Upload a valid image.')
  return undefined
}

/** The account that the token names. */
function signin(call: Call): SimulatorAnswer {
  const user = signedIn(call)
  const { blockedSignIn, deletedSignIn } = call.state.knobs
  if (user.status === 'b' && blockedSignIn !== 200) throw refusalOf(blockedSignIn)
  if (user.status === 'd' && deletedSignIn !== 200) throw refusalOf(deletedSignIn)
  const { id, ext_id, username, role, tags } = user
  return json(200, { id, ext_id, username, role, tags: [...tags] })
}
