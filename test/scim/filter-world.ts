import { Problem } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, userUrn } from '../../src/scim/attribute.ts'
import { compileFilter, compileTest } from '../../src/scim/filter-compile.ts'
import { parseFilter } from '../../src/scim/filter-parse.ts'
import { compileSchemas } from '../../src/scim/schema.ts'

export const badgesUrn = 'urn:example:scim:Badges:1.0:User'

export const schemas = compileSchemas({
  extensions: [
    {
      urn: badgesUrn,
      attributes: [
        { name: 'tags', type: 'string', multiValued: true },
        { name: 'level', type: 'integer', multiValued: false },
        { name: 'displayName', type: 'string', multiValued: false },
        { name: 'photo', type: 'binary', multiValued: false },
      ],
    },
  ],
})

export function aUser(more: JsonObject = {}): JsonObject {
  return {
    schemas: [userUrn],
    id: 'u1',
    externalId: 'HR-0007',
    userName: 'User7@Uni.Example',
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    displayName: 'Ada (at home)',
    active: true,
    emails: [
      { value: 'ada@uni.example', type: 'work', primary: true },
      { value: 'ada@home.example', type: 'home' },
    ],
    [enterpriseUrn]: { department: 'Mathematics', manager: { value: 'boss1' } },
    [badgesUrn]: { tags: ['Red', 'Blue'], level: 3, photo: 'AbC=' },
    meta: {
      resourceType: 'User',
      created: '2026-01-01T00:00:00.000Z',
      lastModified: '2026-01-31T12:00:00.500Z',
      version: 'W/"3"',
    },
    ...more,
  }
}

/** Whether the whole filter fits, indexes aside. */
export function fits(filter: string, document: JsonObject = aUser()): boolean {
  return compileTest(parseFilter(filter, schemas.user))(document)
}

export function compiled(filter: string, type: 'user' | 'group' = 'user') {
  return compileFilter(parseFilter(filter, schemas[type]), schemas[type])
}

/** The problem that `action` throws; anything else that happens is a failure. */
export function problemOf(action: () => unknown): Problem {
  try {
    action()
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown
    throw thrown
  }
  throw new Error('no problem was thrown')
}
