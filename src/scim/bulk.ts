/** `POST /Bulk` (RFC 7644 §3.7): each operation as if it had come alone, one after the other. */
import { Problem, type ScimType } from '../errors.ts'
import { isJsonObject } from '../json.ts'
import { retryAfterMinimum } from '../limits.ts'
import type { ResourceType } from '../store/store.ts'
import { type BulkOperation, readBulk } from './bulk-message.ts'
import { orderOf, resolveReferences } from './bulk-references.ts'
import { bodyOf, type Reply, type ScimContext } from './context.ts'
import { errorBody, problemOf } from './error-body.ts'
import { createGroup, deleteGroup, patchGroup, replaceGroup } from './groups.ts'
import { createUser, deleteUser, patchUser, replaceUser } from './users.ts'

const responseUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'
/** Nothing of the resource is answered, so nothing more of it is read. */
const onlyId: ReadonlyMap<string, string> = new Map([['attributes', 'id']])

type Work = (context: ScimContext, id: string) => Promise<unknown>

/** By endpoint in lower case: one is found in any letter case, here as by itself. */
const engines: ReadonlyMap<string, { readonly type: ResourceType; readonly methods: ReadonlyMap<string, Work> }> =
  new Map([
    [
      'users',
      {
        type: 'User',
        methods: new Map<string, Work>([
          ['POST', createUser],
          ['PUT', replaceUser],
          ['PATCH', patchUser],
          ['DELETE', deleteUser],
        ]),
      },
    ],
    [
      'groups',
      {
        type: 'Group',
        methods: new Map<string, Work>([
          ['POST', createGroup],
          ['PUT', replaceGroup],
          ['PATCH', patchGroup],
          ['DELETE', deleteGroup],
        ]),
      },
    ],
  ])

/** The line of one operation in the answer; its `status` is a text (RFC 7644 §3.7.3). */
interface Outcome {
  readonly location?: string
  readonly method: string
  readonly bulkId?: string
  readonly version?: string
  readonly status: string
  readonly response?: object
}

/** What became of an operation that others may refer to. */
type Made = { readonly id: string } | { readonly problem: Problem }

/** A 400 or 413 for the message as a whole is thrown before anything is done; everything else is said operation by operation. */
export async function bulk(context: ScimContext): Promise<string> {
  const { operations, failOnErrors } = readBulk(bodyOf(context))
  // The time of the whole request begins here, not with the first operation that has to wait.
  const signal = context.budget()
  const { order, circular } = orderOf(operations)
  const made = new Map<string, Made>()
  const outcomes = new Map<number, Outcome>()
  const whenSent: (() => void)[] = []
  let failures = 0
  let retryAfter = 0
  for (const index of order) {
    const operation = operations[index]
    if (operation === undefined || (failOnErrors !== undefined && failures >= failOnErrors)) break
    const headers = new Map<string, string>()
    const sent: (() => void)[] = []
    const reply: Reply = {
      setHeader: (name, value) => headers.set(name.toLowerCase(), value),
      whenSent: (work) => sent.push(work),
    }
    try {
      if (signal.aborted) throw outOfTime()
      if (circular.has(index)) throw inCircle()
      const { location, id, status } = await run({ ...context, response: reply }, resolve(operation, made), headers)
      if (operation.method === 'POST' && operation.bulkId !== undefined) made.set(operation.bulkId, { id })
      whenSent.push(...sent)
      outcomes.set(index, outcomeOf(operation, status, { location, version: headers.get('etag') }))
    } catch (error) {
      const problem = problemOf(error)
      if (problem.status >= 500) {
        context.log.error({ requestId: context.requestId, err: problem.cause ?? problem }, 'a bulk operation failed')
      }
      failures += 1
      retryAfter = Math.max(retryAfter, Number(problem.headers['Retry-After'] ?? 0))
      if (operation.method === 'POST' && operation.bulkId !== undefined) made.set(operation.bulkId, { problem })
      const location = locationOfItem(context, operation, made)
      const response = errorBody(problem, context.requestId)
      outcomes.set(index, { ...outcomeOf(operation, problem.status, { location }), response })
    }
    // Everybody else has a turn between two operations.
    await new Promise((next) => setImmediate(next))
  }
  if (whenSent.length > 0) context.response.whenSent(() => whenSent.forEach((work) => void work()))
  if (retryAfter > 0) context.response.setHeader('Retry-After', String(retryAfter))
  const inOrder = [...outcomes].sort(([one], [other]) => one - other).map(([, outcome]) => outcome)
  return JSON.stringify({ schemas: [responseUrn], Operations: inOrder })
}

function outcomeOf(
  { method, bulkId }: BulkOperation,
  status: number,
  { location, version }: { location: string | undefined; version?: string | undefined },
): Outcome {
  return {
    ...(location === undefined ? {} : { location }),
    method,
    ...(bulkId === undefined ? {} : { bulkId }),
    ...(version === undefined ? {} : { version }),
    status: String(status),
  }
}

/** Throws a `Problem` when the id of a reference is not there. */
function resolve(operation: BulkOperation, made: ReadonlyMap<string, Made>): BulkOperation {
  return resolveReferences(operation, (bulkId) => {
    const found = made.get(bulkId)
    if (found === undefined) {
      throw new Problem(400, 'invalidValue', 'No POST of this request has the bulkId that this operation refers to.')
    }
    if ('id' in found) return found.id
    const { status, headers } = found.problem
    const what = 'The resource that this operation refers to was not made; see the operation with its bulkId.'
    // As final as what it comes from: a client that repeats the one repeats the other.
    if (status === 429 || status >= 500) throw new Problem(429, undefined, what, { headers })
    throw new Problem(400, 'invalidValue', what)
  })
}

interface Target {
  readonly engine: { readonly type: ResourceType; readonly methods: ReadonlyMap<string, Work> }
  readonly endpoint: string
  /** Undefined: the collection. */
  readonly id: string | undefined
}

async function run(
  context: ScimContext,
  operation: BulkOperation,
  headers: ReadonlyMap<string, string>,
): Promise<{ location: string; id: string; status: number }> {
  const { method, bulkId, version, data } = operation
  const { engine, endpoint, id } = targetOf(operation)
  const work = engine.methods.get(method)
  if (work === undefined || (method === 'POST') !== (id === undefined)) {
    throw new Problem(405, undefined, `${method.slice(0, 10)} is not offered for this path.`)
  }
  if (method === 'POST' && bulkId === undefined) throw refused('invalidSyntax', 'A POST in a bulk needs a bulkId.')
  if (method !== 'DELETE' && !isJsonObject(data)) {
    throw refused('invalidSyntax', `A ${method} in a bulk needs data: a JSON object.`)
  }
  const body = isJsonObject(data) ? data : undefined
  await work({ ...context, query: onlyId, ifMatch: version, ifNoneMatch: undefined, body }, id ?? '')
  const location = headers.get('location') ?? itemLocation(context, endpoint, id ?? '')
  return {
    location,
    id: id ?? location.slice(location.lastIndexOf('/') + 1),
    status: method === 'POST' ? 201 : method === 'DELETE' ? 204 : 200,
  }
}

/** `/Users`, `/Users/{id}`; without the first slash, too. Throws 404 where a single request would. */
function targetOf({ path }: BulkOperation): Target {
  if (typeof path !== 'string')
    throw refused('invalidSyntax', 'path of an operation has to be text, as in /Users/{id}.')
  const [sent = '', id, ...others] = (path.startsWith('/') ? path.slice(1) : path).split('/')
  const engine = engines.get(sent.toLowerCase())
  if (engine === undefined || id === '' || id === '.search' || others.length > 0) {
    throw new Problem(404, undefined, 'A bulk takes the paths /Users, /Users/{id}, /Groups and /Groups/{id}.')
  }
  return { engine, endpoint: `${engine.type}s`, id: id === undefined ? undefined : decodeURIComponent(id) }
}

function itemLocation({ connection }: ScimContext, endpoint: string, id: string): string {
  return `${connection.baseUrl}/${endpoint}/${encodeURIComponent(id)}`
}

/** Of a failed operation: what it was about, so far as its path says that (RFC 7644 §3.7.3). */
function locationOfItem(
  context: ScimContext,
  operation: BulkOperation,
  made: ReadonlyMap<string, Made>,
): string | undefined {
  try {
    const { endpoint, id } = targetOf(resolve({ ...operation, data: undefined }, made))
    return id === undefined ? undefined : itemLocation(context, endpoint, id)
  } catch {
    return undefined
  }
}

function refused(scimType: ScimType, message: string): Problem {
  return new Problem(400, scimType, message)
}

function outOfTime(): Problem {
  return new Problem(
    429,
    undefined,
    'The time of this bulk is over; nothing of this operation was done. Send it again.',
    {
      headers: { 'Retry-After': String(retryAfterMinimum) },
    },
  )
}

function inCircle(): Problem {
  return new Problem(
    409,
    undefined,
    'The references of these operations go in a circle; make the resources first, then let them refer to each other.',
  )
}
