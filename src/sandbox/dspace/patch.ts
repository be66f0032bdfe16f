/** The subset of JSON Patch that DSpace implements for an EPerson, in one transaction. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, broken, denied, hal, Refusal } from './answers.ts'
import { columnLength, parse, requireContentType, text, toBoolean, toMap } from './body.ts'
import type { Call } from './call.ts'
import { showPerson } from './hal.ts'
import { patchMetadata } from './metadatapatch.ts'
import { requireGoodPassword } from './password.ts'
import { isAdministrator, require } from './rights.ts'
import type { EPerson, Metadata } from './state.ts'

export interface Operation {
  readonly op: string
  readonly path: string
  readonly from: string | undefined
  readonly value: unknown
}

/** What the operations have made of the account so far; nothing is seen before all went well. */
interface Draft {
  email: string
  netid: string | null
  canLogIn: boolean
  requireCertificate: boolean
  password: string | undefined
  readonly metadata: Metadata
}

export function readOperations(call: Call): Operation[] {
  requireContentType(call, 'application/json-patch+json', 'application/json')
  const list = parse(call.request.body)
  if (!Array.isArray(list) || list.length === 0) throw badRequest('The body is not a JSON patch')
  return list.map((entry: unknown) => {
    const fields = toMap(entry)
    const op = fields?.get('op')
    const path = fields?.get('path')
    if (fields === undefined || typeof op !== 'string' || typeof path !== 'string') {
      throw badRequest('An operation needs op and path')
    }
    return { op, path, from: text(fields, 'from'), value: fields.get('value') }
  })
}

export function patchPerson(call: Call, person: EPerson): SimulatorAnswer {
  const operations = readOperations(call)
  const token = call.request.query.get('token')
  if (token === null) requireRight(call, person, operations)
  else requireResetToken(call, person, operations, token)
  const draft: Draft = {
    email: person.email,
    netid: person.netid,
    canLogIn: person.canLogIn,
    requireCertificate: person.requireCertificate,
    password: person.password,
    metadata: new Map(person.metadata),
  }
  for (const operation of operations) apply(call, draft, operation, token !== null)
  flush(call, person, draft)
  if (token !== null) call.registrations.forget(token)
  return hal(200, showPerson(call, person))
}

/** A person may change the own password and names; all else is the administrators'. */
function requireRight(call: Call, person: EPerson, operations: readonly Operation[]): void {
  const isOwn = operations.every(({ path }) => path === '/password' || path.startsWith('/metadata/eperson.'))
  require(call, isAdministrator(call.state, call.caller) || (isOwn && call.caller === person))
}

function requireResetToken(call: Call, person: EPerson, operations: readonly Operation[], token: string): void {
  const first = operations[0]
  const isReset = first?.op === 'add' && first.path === '/password' && operations.length === 1
  if (!isReset || call.registrations.emailOf(token) !== person.email) throw denied(call.caller !== undefined)
}

function apply(call: Call, draft: Draft, operation: Operation, isReset: boolean): void {
  const { op, path, value } = operation
  if (path === '/metadata' || path.startsWith('/metadata/')) {
    patchMetadata(draft.metadata, operation)
    return
  }
  switch (`${op} ${path}`) {
    case 'replace /email':
      draft.email = filled(value, draft.email).toLowerCase()
      break
    case 'replace /netid':
      draft.netid = filled(value, draft.netid)
      break
    // The attribute is called canLogIn, the path is not.
    case 'replace /canLogin':
      draft.canLogIn = switchOf(value)
      break
    case 'replace /certificate':
      draft.requireCertificate = switchOf(value)
      break
    case 'add /password':
      setPassword(call, draft, value, isReset)
      break
    default:
      throw badRequest(`The operation ${op} on ${path} is not supported`)
  }
}

/** Neither a blank value nor one that replaces nothing is taken. */
function filled(value: unknown, present: string | null): string {
  if (typeof value !== 'string' || value.trim() === '') throw badRequest('A value is required')
  if (present === null) throw badRequest('There is nothing to replace')
  return value
}

function switchOf(value: unknown): boolean {
  const wanted = toBoolean(value)
  if (wanted === undefined) throw badRequest('The value is not a boolean')
  return wanted
}

function setPassword(call: Call, draft: Draft, value: unknown, isReset: boolean): void {
  const fields = toMap(value)
  const wanted = fields === undefined ? undefined : text(fields, 'new_password')
  if (fields === undefined || wanted === undefined) throw badRequest('new_password is required')
  if (!draft.canLogIn) throw denied(call.caller !== undefined)
  const isKnown = draft.password === undefined || text(fields, 'current_password') === draft.password
  if (!isReset && !isKnown) throw denied(call.caller !== undefined)
  requireGoodPassword(wanted)
  draft.password = wanted
}

/** The database has its say at the end of the transaction. */
function flush(call: Call, person: EPerson, draft: Draft): void {
  const { state, knobs } = call
  if (draft.email.length > columnLength.email || (draft.netid ?? '').length > columnLength.netid) throw broken()
  const owners = [state.byEmail(draft.email), draft.netid === null ? undefined : state.byNetid(draft.netid)]
  if (owners.some((owner) => owner !== undefined && owner !== person)) {
    throw new Refusal(knobs.duplicateStatus, 'An exception has occurred')
  }
  state.change(person, { email: draft.email, ...(draft.netid === null ? {} : { netid: draft.netid }) })
  person.canLogIn = draft.canLogIn
  person.requireCertificate = draft.requireCertificate
  person.password = draft.password
  person.metadata = draft.metadata
}
