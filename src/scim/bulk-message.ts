/** The BulkRequest message itself (RFC 7644 §3.7), before anything of it is done. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { bulkOperations } from '../limits.ts'
import { byLowerCaseKey } from './client-keys.ts'

const messageUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

/** One operation as it was sent; whether it makes sense shows when its turn comes, and costs the others nothing. */
export interface BulkOperation {
  /** Upper case, known or not. */
  readonly method: string
  readonly path: Json | undefined
  readonly bulkId: string | undefined
  /** As in If-Match. */
  readonly version: string | undefined
  readonly data: Json | undefined
}

export interface BulkRequest {
  readonly operations: readonly BulkOperation[]
  /** So many failures end the work; undefined: nothing does. */
  readonly failOnErrors: number | undefined
}

/** Throws `Problem` 400 `invalidSyntax` or `invalidValue`, or 413: nothing of the request is done. */
export function readBulk(body: JsonObject): BulkRequest {
  const message = byLowerCaseKey(body)
  const schemas = message.get('schemas')
  const isMessage = (urn: Json) => typeof urn === 'string' && urn.toLowerCase() === messageUrn.toLowerCase()
  if (!Array.isArray(schemas) || !schemas.some(isMessage)) throw malformed(`schemas has to name ${messageUrn}.`)
  const sent = message.get('operations')
  if (!Array.isArray(sent) || sent.length === 0)
    throw malformed('Operations has to be a list of at least one operation.')
  if (sent.length > bulkOperations) {
    throw new Problem(413, undefined, `A bulk takes ${bulkOperations} operations at most; send several requests.`)
  }
  const operations = sent.map(readOperation)
  const bulkIds = operations.flatMap(({ bulkId }) => bulkId ?? [])
  if (new Set(bulkIds).size < bulkIds.length) {
    throw new Problem(400, 'invalidValue', 'A bulkId is there twice; each operation needs one of its own.')
  }
  return { operations, failOnErrors: readFailOnErrors(message.get('failonerrors')) }
}

function readFailOnErrors(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  throw new Problem(400, 'invalidValue', 'failOnErrors has to be a whole number of at least 1.')
}

function readOperation(sent: Json): BulkOperation {
  if (!isJsonObject(sent)) throw malformed('Each of Operations has to be an object.')
  const parts = byLowerCaseKey(sent)
  const text = (name: string): string | undefined => {
    const value = parts.get(name.toLowerCase()) ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw malformed(`${name} of an operation has to be text.`)
  }
  const method = text('method')
  if (method === undefined) throw malformed('method of an operation is missing.')
  return {
    method: method.toUpperCase(),
    path: parts.get('path'),
    bulkId: text('bulkId'),
    version: text('version'),
    data: parts.get('data'),
  }
}

function malformed(what: string): Problem {
  return new Problem(400, 'invalidSyntax', what)
}
