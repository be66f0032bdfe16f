/** The PatchOp message itself (RFC 7644 §3.5.2), before any name in it is looked up. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { patchOperations } from '../limits.ts'
import { byLowerCaseKey } from './client-keys.ts'

const messageUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const verbs = ['add', 'replace', 'remove'] as const

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: string | undefined
  /** Undefined when absent; `null` is a value. */
  readonly value: Json | undefined
}

/** Throws `Problem` 400 `invalidSyntax`, `invalidPath` or `tooMany`. Operations in any letter case: Entra sends `Add`. */
export function readOperations(body: JsonObject): readonly PatchOperation[] {
  const message = byLowerCaseKey(body)
  checkMessageSchemas(message.get('schemas'))
  const operations = message.get('operations')
  if (!Array.isArray(operations) || operations.length === 0) {
    throw new Problem(
      400,
      'invalidSyntax',
      'Operations is missing or empty; a PATCH needs a list of at least one operation.',
    )
  }
  if (operations.length > patchOperations) {
    throw new Problem(400, 'tooMany', `Operations has more than ${patchOperations} operations; send several requests.`)
  }
  return operations.map(readOperation)
}

/** Okta's own examples leave `schemas` out; one that names another message is a mistake. */
function checkMessageSchemas(schemas: Json | undefined): void {
  if (schemas === undefined) return
  const isMessage = (urn: Json) => typeof urn === 'string' && urn.toLowerCase() === messageUrn.toLowerCase()
  if (Array.isArray(schemas) && schemas.some(isMessage)) return
  throw new Problem(400, 'invalidSyntax', `schemas of a PATCH must name ${messageUrn}.`)
}

function readOperation(operation: Json): PatchOperation {
  if (!isJsonObject(operation)) throw new Problem(400, 'invalidSyntax', 'Each of Operations must be an object.')
  const parts = byLowerCaseKey(operation)
  const word = parts.get('op')
  const op = typeof word === 'string' ? verbs.find((verb) => verb === word.toLowerCase()) : undefined
  if (op === undefined) throw new Problem(400, 'invalidSyntax', 'op of an operation must be add, replace or remove.')
  const path = parts.get('path') ?? undefined
  if (path !== undefined && typeof path !== 'string')
    throw new Problem(400, 'invalidPath', 'path of an operation must be text.')
  return { op, path: path === '' ? undefined : path, value: parts.get('value') }
}
