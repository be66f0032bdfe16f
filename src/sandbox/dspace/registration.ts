/** The registrations endpoint, and what the holder of a token does elsewhere than at `POST /epersons?token=`. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, denied, empty, hal, notFound, unprocessable } from './answers.ts'
import { readObject, text } from './body.ts'
import type { Call, Route } from './call.ts'
import { parameter, showPerson } from './hal.ts'
import { readOperations } from './patch.ts'
import type { Registration } from './registrations.ts'
import { administers, isAdministrator } from './rights.ts'
import type { Group } from './state.ts'
import { uuidPattern } from './uuid.ts'

const address = /^[^\s@]+@[^\s@]+$/
const properties = ['id', 'email', 'user', 'type', 'registrationType', 'netId', 'registrationMetadata']

export const registrationRoutes: readonly Route[] = [
  ['POST', /^\/api\/eperson\/registrations$/, register],
  ['PATCH', /^\/api\/eperson\/registrations\/(\d+)$/, patch],
  ['GET', /^\/api\/eperson\/registrations\/search\/findByToken$/, findByToken],
  ['POST', new RegExp(`^/api/eperson/epersons/(${uuidPattern})/groups$`, 'i'), joinByToken],
  ['POST', new RegExp(`^/api/eperson/epersons/(${uuidPattern})$`, 'i'), merge],
]

function register(call: Call): SimulatorAnswer {
  const { knobs, caller, request } = call
  const kind = request.query.get('accountRequestType')
  if (knobs.requiresAccountRequestType && kind !== 'register' && kind !== 'forgot') {
    throw badRequest("Required request parameter 'accountRequestType' is not register or forgot")
  }
  if (knobs.captcha && (request.headers[knobs.captchaHeader] ?? '') === '') throw denied(true)
  const fields = readObject(call, knobs.isCris ? [...properties, 'groups', 'groupNames'] : properties)
  const email = text(fields, 'email')?.trim() ?? ''
  if (!address.test(email)) throw unprocessable('The email is omitted or not valid')
  const groups = knobs.isCris ? readGroups(call, fields.get('groups')) : []
  if (knobs.requiresAccountRequestType && kind === 'forgot') return reset(call, email, groups)
  if (!knobs.registration) throw denied(caller !== undefined)
  if (knobs.mailDomains.length > 0 && !knobs.mailDomains.some((domain) => email.toLowerCase().endsWith(domain))) {
    throw unprocessable('Registration is not allowed with this email')
  }
  const present = call.state.byEmail(email)
  if (present === undefined || knobs.registerExisting === 'register') {
    call.registrations.issue(email, 'register', groups)
    return empty(201)
  }
  if (knobs.registerExisting === 400 || (knobs.refusesDisabled && !present.canLogIn)) {
    throw badRequest('Registration is not possible with this email')
  }
  call.registrations.issue(email, groups.length === 0 ? 'forgot' : 'invitation', groups)
  return empty(201)
}

/** An address without an account is answered alike, so that nobody learns who has one. */
function reset(call: Call, email: string, groups: readonly Group[]): SimulatorAnswer {
  const { knobs, state, caller } = call
  if (!knobs.passwordReset) throw denied(caller !== undefined)
  const present = state.byEmail(email)
  if (present === undefined) return empty(201)
  if (knobs.refusesDisabled && !present.canLogIn) throw badRequest('The password cannot be reset')
  call.registrations.issue(email, groups.length === 0 ? 'forgot' : 'invitation', groups)
  return empty(201)
}

/** An administrator's unknown groups are skipped in silence; others may name only groups that they administer. */
function readGroups(call: Call, value: unknown): Group[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw unprocessable('Error parsing request body')
  if (value.length === 0) return []
  if (call.caller === undefined) throw denied(false)
  const skipsUnknown = isAdministrator(call.state, call.caller)
  return value.flatMap((entry: unknown) => {
    const group = typeof entry === 'string' ? call.state.groups.get(entry.toLowerCase()) : undefined
    if (group === undefined) {
      if (skipsUnknown) return []
      throw unprocessable('A group does not exist')
    }
    if (!administers(call.state, call.caller, group)) throw denied(true)
    return [group]
  })
}

function findByToken(call: Call): SimulatorAnswer {
  const row = call.registrations.find(parameter(call, 'token'))
  if (row === undefined) throw notFound()
  return hal(200, show(call, row))
}

function show(call: Call, row: Registration) {
  const { knobs, state } = call
  const details = {
    id: row.id,
    registrationType: row.kind.toUpperCase(),
    netId: null,
    registrationMetadata: {},
  }
  const groups = [...row.groups].flatMap((uuid) => state.groups.get(uuid) ?? [])
  return {
    email: row.email,
    user: state.byEmail(row.email)?.uuid ?? null,
    type: 'registration',
    ...(knobs.registrationDetails ? details : {}),
    ...(knobs.isCris ? { groups: groups.map(({ uuid }) => uuid), groupNames: groups.map(({ name }) => name) } : {}),
  }
}

function patch(call: Call): SimulatorAnswer {
  if (!call.knobs.registrationDetails) throw notFound()
  const row = call.registrations.find(parameter(call, 'token'))
  if (row === undefined || String(row.id) !== call.ids[0]) throw denied(call.caller !== undefined)
  const [operation, ...more] = readOperations(call)
  const isSupported = operation?.path === '/email' && (operation.op === 'add' || operation.op === 'replace')
  if (!isSupported || more.length > 0) throw badRequest('The operation is not supported')
  const [email] = [operation.value].flat()
  if (typeof email !== 'string' || !address.test(email)) throw unprocessable('The email is not valid')
  call.registrations.redirect(row, email)
  return empty(204)
}

/** DSpace-CRIS: somebody who has an account and was invited to groups. */
function joinByToken(call: Call): SimulatorAnswer {
  if (!call.knobs.isCris) throw notFound()
  const { caller } = call
  const token = parameter(call, 'token')
  if (caller === undefined) throw denied(false)
  const row = call.registrations.find(token)
  if (row === undefined) throw badRequest('The token is not valid')
  if (caller.uuid !== call.ids[0] || caller.email !== row.email) throw denied(true)
  call.registrations.joinGroups(call, token, caller)
  return hal(201, showPerson(call, caller))
}

/** Merging takes a token that an identity at ORCID was validated with, and none of those is ever issued here. */
function merge(call: Call): SimulatorAnswer {
  if (!call.knobs.registrationDetails) throw notFound()
  parameter(call, 'token')
  if (call.caller === undefined) throw denied(false)
  throw badRequest('The token is not one of an external identity')
}
