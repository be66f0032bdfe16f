import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { builtInMappings } from '../../src/bridge.ts'
import type { Account, Json } from '../../src/facts.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { platforms } from '../../src/platforms/registry.ts'
import {
  type Candidate,
  type Choices,
  classifyFree,
  classifyHeld,
  type Free,
} from '../../src/provision/reconcile-classify.ts'
import { keysOfAccount, keysOfDocument } from '../../src/provision/reconcile-keys.ts'

function choicesOf(platform: string): Choices {
  const facts = platforms.get(platform)?.facts
  assert.ok(facts !== undefined)
  const file = join(builtInMappings, `${platform}.yaml`)
  const { mapping } = readMappingFile(file, (name) => platforms.get(name)?.facts, { writeMode: 'confirmed' })
  return { mapping, facts }
}

const dspace = choicesOf('dspace')
const ada = { userName: 'ada@uni.example', name: { givenName: 'Ada', familyName: 'Lovelace' }, active: true }

function anAccount(change: Record<string, Json> = {}): Account {
  const attributes = {
    email: 'ada@uni.example',
    firstname: 'Ada',
    lastname: 'Lovelace',
    language: 'en',
    canLogIn: true,
    ...change,
  }
  return { id: '7', attributes: new Map<string, Json>(Object.entries(attributes)) }
}

function held(account: Account, document: Record<string, Json> = {}, isInMotion = false) {
  const user = { ...ada, ...document }
  const { situation, attributes, remedy } = classifyHeld(
    account,
    { resourceId: 'ada', document: user, isInMotion, hasOtherGrants: false },
    dspace,
  )
  return [situation, attributes, remedy]
}

describe('a linked account', () => {
  test('that is as its user says is linked', () => assert.deepEqual(held(anAccount()), ['linked', [], undefined]))
  test('that differs is drifted, and can be written', () =>
    assert.deepEqual(held(anAccount({ lastname: 'King' })), ['drifted', ['lastname'], 'write']))
  test('that differs while a change is on its way is linked', () =>
    assert.deepEqual(held(anAccount({ lastname: 'King' }), {}, true), ['linked', [], undefined]))
  test('that is off though its user is on is drifted, and nothing switches it on', () =>
    assert.deepEqual(held(anAccount({ canLogIn: false })), ['drifted', ['canLogIn'], undefined]))
  test('that is on though its user is off is switched off', () =>
    assert.deepEqual(held(anAccount(), { active: false }), ['drifted', ['canLogIn'], 'switch_off']))
  test('of somebody who has left keeps its other differences', () =>
    assert.deepEqual(held(anAccount({ canLogIn: false, lastname: 'King' }), { active: false }), [
      'drifted',
      ['lastname'],
      undefined,
    ]))
  test('that the mapping protects is protected, whatever else', () =>
    assert.deepEqual(held(anAccount({ groups: ['Administrator'], lastname: 'King' })), ['protected', [], undefined]))
  test('that the platform module protects is protected', () =>
    assert.deepEqual(held({ ...anAccount(), protectedBecause: 'the service account' }), ['protected', [], undefined]))
})

const nobody: Free = { matching: [], rivalled: [], isTombstone: false }
function candidate(resourceId: string, change: Partial<Candidate> = {}): Candidate {
  return { resourceId, heldAccount: undefined, rivals: [], refusal: undefined, ...change }
}
function free(change: Partial<Free>, account = anAccount()) {
  const { situation, remedy, resourceId, otherAccounts, otherResources } = classifyFree(
    account,
    { ...nobody, ...change },
    dspace,
  )
  return { situation, remedy, others: [resourceId, ...otherAccounts, ...otherResources] }
}

describe('an account without a link', () => {
  const one = candidate('ada')
  test('that fits nobody is unmatched', () =>
    assert.deepEqual(free({}), { situation: 'unmatched', remedy: undefined, others: [undefined] }))
  test('that fits one user without an account is unlinked', () =>
    assert.deepEqual(free({ matching: [one] }), { situation: 'unlinked', remedy: 'link', others: ['ada'] }))
  test('that fits one user is unlinked though it was that of a deleted one: the person came back', () =>
    assert.equal(free({ matching: [one], isTombstone: true }).situation, 'unlinked'))
  test('that fits two users is disputed', () =>
    assert.deepEqual(free({ matching: [one, candidate('bob')] }), {
      situation: 'disputed',
      remedy: undefined,
      others: ['ada', 'bob'],
    }))
  test('that fits a user who has an account is disputed', () =>
    assert.deepEqual(free({ matching: [candidate('ada', { heldAccount: '1' })] }).others, ['ada', '1']))
  test('that fits a user whom another account fits, too, is disputed', () =>
    assert.deepEqual(free({ matching: [candidate('ada', { rivals: ['2'] })] }).others, ['ada', '2']))
  test('that the platform does not let us take over is disputed', () =>
    assert.equal(free({ matching: [candidate('ada', { refusal: 'no' })] }).situation, 'disputed'))
  test('with a value that only one may have is disputed', () =>
    assert.deepEqual(free({ rivalled: [candidate('ada', { heldAccount: '1' })] }).others, ['ada', '1']))
  test('of a deleted user that is on is revived, and switched off', () =>
    assert.deepEqual(free({ isTombstone: true }), { situation: 'revived', remedy: 'switch_off', others: [undefined] }))
  test('of a deleted user that is off is former', () =>
    assert.equal(free({ isTombstone: true }, anAccount({ canLogIn: false })).situation, 'former'))
  test('that is protected is protected, whomever it fits', () =>
    assert.deepEqual(free({ matching: [one] }, anAccount({ groups: ['Administrator'] })).situation, 'protected'))
})

describe('the keys by which accounts and users are brought together', () => {
  test('are the same for an account and for the user that the platform would find it by', () => {
    const { mapping, facts } = dspace
    const account = anAccount({ email: 'ADA@uni.example' })
    assert.deepEqual(keysOfAccount(mapping, facts, account.attributes), keysOfDocument(mapping, facts, ada))
  })

  test('of a log-in name hold its domain: the same name in another domain is somebody else', () => {
    const { mapping, facts } = choicesOf('openspecimen')
    const keys = (domainName: string) =>
      keysOfAccount(
        mapping,
        facts,
        new Map([
          ['loginName', 'Ada'],
          ['domainName', domainName],
        ]),
      ).match
    assert.notDeepEqual(keys('one'), keys('two'))
    assert.match(keys('one')[0] ?? '', /"ada"/)
  })
})
