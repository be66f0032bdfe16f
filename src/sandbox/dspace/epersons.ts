/** EPersons: find, show, create, delete. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, broken, empty, hal, notFound, Refusal, unprocessable } from './answers.ts'
import { columnLength, flag, readMetadata, readObject, text } from './body.ts'
import type { Call, Route } from './call.ts'
import { groupsOf, page, parameter, showGroup, showPerson } from './hal.ts'
import { isLike } from './like.ts'
import { requireGoodPassword } from './password.ts'
import { patchPerson } from './patch.ts'
import { isAdministrator, managesGroups, require, requireAdministrator } from './rights.ts'
import { type EPerson, type NewEPerson, textOf } from './state.ts'
import { uuidPattern } from './uuid.ts'

const byId = new RegExp(`^/api/eperson/epersons/(${uuidPattern})$`, 'i')
const properties = [
  'id',
  'uuid',
  'name',
  'handle',
  'metadata',
  'netid',
  'lastActive',
  'canLogIn',
  'email',
  'requireCertificate',
  'selfRegistered',
  'password',
  'type',
]

export const epersonRoutes: readonly Route[] = [
  ['GET', /^\/api\/eperson\/epersons$/, list],
  ['POST', /^\/api\/eperson\/epersons$/, create],
  ['GET', /^\/api\/eperson\/epersons\/search\/byEmail$/, findByEmail],
  ['GET', /^\/api\/eperson\/epersons\/search\/byMetadata$/, search],
  ['GET', /^\/api\/eperson\/epersons\/search\/isNotMemberOf$/, searchOutside],
  ['GET', byId, read],
  ['PATCH', byId, (call) => patchPerson(call, personOf(call))],
  ['DELETE', byId, remove],
  ['GET', new RegExp(`^/api/eperson/epersons/(${uuidPattern})/groups$`, 'i'), listGroups],
]

function list(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  return page(call, 'epersons', call.state.sorted(), (person) => showPerson(call, person))
}

function findByEmail(call: Call): SimulatorAnswer {
  if (!call.knobs.isByEmailOpen) require(call, managesGroups(call.state, call.caller))
  const person = call.state.byEmail(parameter(call, 'email').trim())
  return person === undefined ? empty(204) : hal(200, showPerson(call, person))
}

function search(call: Call): SimulatorAnswer {
  require(call, managesGroups(call.state, call.caller))
  return showFound(call, matching(call, parameter(call, 'query')))
}

function searchOutside(call: Call): SimulatorAnswer {
  if (!call.knobs.isNotMemberOf) throw notFound()
  require(call, managesGroups(call.state, call.caller))
  const group = parameter(call, 'group').toLowerCase()
  return showFound(
    call,
    matching(call, parameter(call, 'query')).filter((person) => !person.groups.has(group)),
  )
}

function showFound(call: Call, found: readonly EPerson[]): SimulatorAnswer {
  return page(call, 'epersons', found, (person) => showPerson(call, person))
}

/** A UUID is looked up; anything else is a LIKE on each of three columns by itself, never on the full name. */
function matching(call: Call, query: string): EPerson[] {
  if (new RegExp(`^${uuidPattern}$`, 'i').test(query)) {
    const person = call.state.epersons.get(query.toLowerCase())
    return person === undefined ? [] : [person]
  }
  const first = (person: EPerson) => textOf(person.metadata, 'eperson.firstname')
  const last = (person: EPerson) => textOf(person.metadata, 'eperson.lastname')
  return call.state
    .sorted()
    .filter((person) => [first(person), last(person), person.email].some((value) => isLike(value, query)))
    .sort((a, b) => first(a).localeCompare(first(b)) || last(a).localeCompare(last(b)))
}

function read(call: Call): SimulatorAnswer {
  requireSelfOrAdministrator(call)
  return hal(200, showPerson(call, personOf(call)))
}

function listGroups(call: Call): SimulatorAnswer {
  requireSelfOrAdministrator(call)
  return page(call, 'groups', groupsOf(call, personOf(call)), (group) => showGroup(call, group))
}

function requireSelfOrAdministrator(call: Call): void {
  require(call, call.caller?.uuid === call.ids[0] || isAdministrator(call.state, call.caller))
}

function personOf(call: Call): EPerson {
  const person = call.state.epersons.get(call.ids[0] ?? '')
  if (person !== undefined) return person
  // A stranger must not learn which ids exist.
  requireAdministrator(call)
  throw notFound()
}

function create(call: Call): SimulatorAnswer {
  const token = call.request.query.get('token')
  if (token === null) {
    requireAdministrator(call)
    const wanted = readNew(call)
    return hal(201, showPerson(call, insert(call, wanted)))
  }
  const email = call.registrations.emailOf(token)
  if (email === undefined) throw badRequest('The token is not valid')
  const wanted = call.registrations.complete(call, email, readNew(call, email))
  const person = insert(call, wanted)
  call.registrations.joinGroups(call, token, person)
  return hal(201, showPerson(call, person))
}

/** `selfRegistered` and `name` are read and forgotten. */
function readNew(call: Call, emailOfToken?: string): NewEPerson {
  const fields = readObject(call, properties)
  const email = text(fields, 'email')?.trim() || emailOfToken
  if (email === undefined) throw unprocessable('The email is required')
  const netid = text(fields, 'netid')
  const password = text(fields, 'password')
  if (password !== undefined) requireGoodPassword(password)
  return {
    email,
    ...(netid === undefined ? {} : { netid }),
    metadata: readMetadata(fields.get('metadata')),
    canLogIn: flag(fields, 'canLogIn'),
    requireCertificate: flag(fields, 'requireCertificate'),
    ...(password === undefined ? {} : { password }),
  }
}

/** No check of DSpace stands before the database: its constraints end in a 500. */
function insert(call: Call, wanted: NewEPerson): EPerson {
  const { email, netid } = wanted
  if (email.length > columnLength.email || (netid ?? '').length > columnLength.netid) throw broken()
  const isTaken =
    call.state.byEmail(email) !== undefined || (typeof netid === 'string' && call.state.byNetid(netid) !== undefined)
  if (isTaken) throw new Refusal(call.knobs.duplicateStatus, 'An exception has occurred')
  return call.state.add(wanted)
}

function remove(call: Call): SimulatorAnswer {
  requireAdministrator(call)
  const person = call.state.epersons.get(call.ids[0] ?? '')
  if (person === undefined) throw new Refusal(call.knobs.deleteUnknownStatus, 'An exception has occurred')
  const isLast = groupsOf(call, person).some((group) => group.isWorkflow && group.members.size === 1)
  if (isLast) throw unprocessable('The eperson is the last member of a workflow group')
  call.state.remove(person)
  return empty(204)
}
