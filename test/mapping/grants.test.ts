import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { grantsOf } from '../../src/mapping/evaluate.ts'
import { aMapping } from './platforms.ts'

const groups = `groups:
  as: grants
  grants:
    - { group: physics, grant: { group_id: 101 } }
    - { group: library, grant: { group_id: 110 } }
    - { group: library, grant: { group_id: 110, role_id: 49 } }
    - { group: reviewers, grant: { role_id: 49, group_id: 110 } }
`
const physics = { group_id: 101 }
const library = { group_id: 110 }
const reviewer = { group_id: 110, role_id: 49 }
const named = (...names: string[]) => names.map((displayName) => ({ displayName }))

describe('a grant of which an account has one at a time', () => {
  const { mapping } = aMapping('', groups)

  test('is that of the line that stands first, whatever the order of the groups', () => {
    assert.deepEqual(grantsOf(mapping, named('library', 'physics')), [physics, reviewer])
    assert.deepEqual(grantsOf(mapping, named('physics', 'library')), [physics, reviewer])
  })
  test('is the next one when the first group is left', () => {
    assert.deepEqual(grantsOf(mapping, named('library')), [library, reviewer])
    assert.deepEqual(grantsOf(mapping, named('reviewers')), [reviewer])
  })
})
