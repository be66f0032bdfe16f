/** Builders for the tests of resources that come in. */
import assert from 'node:assert/strict'
import { Problem, type ScimType } from '../../src/errors.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { enterpriseUrn, groupUrn, userUrn } from '../../src/scim/attribute.ts'
import { applyPatch, type PatchResult, parsePatch } from '../../src/scim/patch.ts'
import { compileSchemas } from '../../src/scim/schema.ts'

export const customUrn = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User'
export const schemas = compileSchemas({
  extensions: [
    {
      urn: customUrn,
      attributes: [
        { name: 'CustomAttribute', type: 'string', multiValued: false },
        { name: 'seats', type: 'integer', multiValued: false },
        { name: 'since', type: 'dateTime', multiValued: false },
        { name: 'tags', type: 'string', multiValued: true },
      ],
    },
  ],
})
export const messageUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** What a client sends: an object of JSON. */
export function sent(body: unknown): JsonObject {
  assert.ok(isJsonObject(body))
  return body
}

/** A canonical document. */
export function aUser(more: object = {}): JsonObject {
  return sent({ schemas: [userUrn], userName: 'ada@uni.example', ...more })
}

export function aGroup(more: object = {}): JsonObject {
  return sent({ schemas: [groupUrn], displayName: 'Readers', ...more })
}

export function anEmployee(enterprise: JsonObject): JsonObject {
  return { ...aUser(), schemas: [userUrn, enterpriseUrn], [enterpriseUrn]: enterprise }
}

type Target = { readonly document?: JsonObject; readonly strict?: boolean; readonly readOnly?: JsonObject }

export function patchUser(
  operations: readonly object[],
  { document = aUser(), strict = false, readOnly }: Target = {},
): PatchResult {
  const patch = parsePatch(schemas.user, { schemas: [messageUrn], Operations: operations.map(sent) }, { strict })
  return applyPatch(schemas.user, document, patch, {
    strict,
    id: 'u1',
    ...(readOnly === undefined ? {} : { readOnly }),
  })
}

export function patchGroup(
  operations: readonly object[],
  { document = aGroup(), strict = false }: Target = {},
): PatchResult {
  const patch = parsePatch(schemas.group, { schemas: [messageUrn], Operations: operations.map(sent) }, { strict })
  return applyPatch(schemas.group, document, patch, { strict, id: 'g1' })
}

/** 400 with this scimType, and a message that an administrator can act on. */
export function refuses(work: () => unknown, scimType: ScimType, message: RegExp = /\w/): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof Problem, `not a Problem: ${error}`)
    assert.deepEqual([error.status, error.scimType], [400, scimType], error.message)
    assert.match(error.message, message)
    return true
  })
}
