import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { grantsOf } from '../../src/mapping/evaluate.ts'
import { grantChanges, isSameGrant, managedGrants, without } from '../../src/mapping/grants.ts'
import { aMapping } from './platforms.ts'

const groups = (policy = '') => `groups:
  as: grants
${policy}  grants:
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
  const { mapping } = aMapping('', groups())

  test('is that of the line that stands first, whatever the order of the groups', () => {
    assert.deepEqual(grantsOf(mapping, named('library', 'physics')), [physics, reviewer])
    assert.deepEqual(grantsOf(mapping, named('physics', 'library')), [physics, reviewer])
  })
  test('is the next one when the first group is left', () => {
    assert.deepEqual(grantsOf(mapping, named('library')), [library, reviewer])
    assert.deepEqual(grantsOf(mapping, named('reviewers')), [reviewer])
  })
})

describe('what may be revoked', () => {
  const byHand = { group_id: 100, role_id: 2 }
  const turned = { role_id: 49, group_id: 110 }
  const held = [byHand, reviewer]

  test('with manage: granted only what we gave', () => {
    const { mapping } = aMapping('', groups())
    assert.deepEqual(managedGrants(mapping, held, []), [])
    assert.deepEqual(managedGrants(mapping, held, [turned]), [reviewer])
  })
  test('with manage: listed also what the file names, whoever gave it', () => {
    const { mapping } = aMapping('', groups('  manage: listed\n'))
    assert.deepEqual(managedGrants(mapping, held, []), [reviewer])
    assert.deepEqual(managedGrants(mapping, held, [byHand]), held)
  })
  test('with manage: listed also the linked groups, where groups are groups', () => {
    const { mapping } = aMapping('', groups('  manage: listed\n'))
    assert.deepEqual(managedGrants(mapping, held, [], [byHand]), held)
    assert.deepEqual(managedGrants(aMapping('', groups()).mapping, held, [], [byHand]), [])
  })
})

describe('what makes held grants the wanted ones', () => {
  test('two groups that give one grant: it goes with the last of them', () => {
    const { mapping } = aMapping('', groups())
    const after = (...names: string[]) => {
      const wanted = grantsOf(mapping, named(...names))
      return grantChanges(wanted, [reviewer], managedGrants(mapping, [reviewer], [reviewer]))
    }
    assert.deepEqual(after('library', 'reviewers').take, [])
    assert.deepEqual(after('reviewers'), { give: [], take: [] })
    assert.deepEqual(after(), { give: [], take: [reviewer] })
  })
  test('what is not managed stays, and nothing is given twice', () => {
    assert.deepEqual(grantChanges([physics, physics], [library], []), { give: [physics], take: [] })
  })
  test('grants are equal by keys and values, in any order, with their types', () => {
    assert.ok(isSameGrant({ a: 1, b: 'x' }, { b: 'x', a: 1 }))
    assert.ok(!isSameGrant({ a: 1 }, { a: '1' }))
    assert.ok(!isSameGrant({ a: 1 }, { a: 1, b: 1 }))
    assert.deepEqual(without([{ a: 1 }, { a: 1 }, { b: 2 }], [{ b: 2 }]), [{ a: 1 }])
  })
})
