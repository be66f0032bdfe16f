import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { parseProjection } from '../../src/scim/projection.ts'
import { aUser, badgesUrn, problemOf, schemas } from './filter-world.ts'

const whole: JsonObject = aUser({ groups: [{ value: 'g1' }], [provisioningUrn]: { state: 'applied' } })
const always = { schemas: [userUrn], id: 'u1' }

function only(attributes: string): JsonObject {
  return parseProjection(schemas.user, attributes, undefined).project(whole)
}
function without(excludedAttributes: string): JsonObject {
  return parseProjection(schemas.user, undefined, excludedAttributes).project(whole)
}
function namesOf(document: JsonObject): string[] {
  return Object.keys(document)
}

test('id and schemas always come along, and names are answered in their own letter case', () => {
  assert.deepEqual(only('userName'), { ...always, userName: 'User7@Uni.Example' })
  assert.deepEqual(only(' USERNAME , externalID '), { ...always, externalId: 'HR-0007', userName: 'User7@Uni.Example' })
})

test('parts of attributes, and names with a URN', () => {
  assert.deepEqual(only('emails.value,name.givenName'), {
    ...always,
    name: { givenName: 'Ada' },
    emails: [{ value: 'ada@uni.example' }, { value: 'ada@home.example' }],
  })
  assert.deepEqual(only('emails.type,emails.value').emails, [
    { value: 'ada@uni.example', type: 'work' },
    { value: 'ada@home.example', type: 'home' },
  ])
  assert.deepEqual(only('emails.type,emails').emails, whole.emails)
  assert.deepEqual(only(`${userUrn}:userName`), { ...always, userName: 'User7@Uni.Example' })
  assert.deepEqual(only(`${enterpriseUrn}:department`), { ...always, [enterpriseUrn]: { department: 'Mathematics' } })
  assert.deepEqual(only('manager'), { ...always, [enterpriseUrn]: { manager: { value: 'boss1' } } })
  assert.deepEqual(only(`${badgesUrn}:tags`), { ...always, [badgesUrn]: { tags: ['Red', 'Blue'] } })
  assert.deepEqual(only(enterpriseUrn), { ...always, [enterpriseUrn]: whole[enterpriseUrn] ?? null })
})

test('a whole schema is named by its URN', () => {
  assert.deepEqual(
    namesOf(only(userUrn)),
    namesOf(whole).filter((name) => !name.startsWith('urn:')),
  )
})

test('a filter behind a name is read as the name alone: everything of the attribute comes', () => {
  assert.deepEqual(only('emails[type eq "work"]'), only('emails'))
  assert.deepEqual(only('emails[type eq "a,b"].value'), only('emails'))
  assert.deepEqual(only('emails[type eq "work"].value,userName'), only('emails.value,userName'))
  assert.deepEqual(only('[type eq "work"],emails[,[]'), only('emails'))
  // Here it would take away more than was named.
  assert.deepEqual(without('emails[type eq "work"]'), whole)
})

test('unknown names are ignored, also hostile ones', () => {
  assert.deepEqual(only('shoeSize'), always)
  assert.deepEqual(only('__proto__.p,constructor,userName,urn:x:y'), { ...always, userName: 'User7@Uni.Example' })
  assert.deepEqual(without('__proto__,shoeSize,'), whole)
})

test('what is stored of an extension that is no longer declared goes out unless something else was asked for', () => {
  const old = { ...whole, 'urn:x:Old': { a: 1 } }
  assert.deepEqual(parseProjection(schemas.user, undefined, 'emails').project(old)['urn:x:Old'], { a: 1 })
  assert.deepEqual(parseProjection(schemas.user, 'id', undefined).project(old), always)
})

test('values of which nothing was asked for are left out', () => {
  assert.deepEqual(only('emails.display,name.middleName,manager.displayName'), always)
  assert.deepEqual(only('emails.primary').emails, [{ primary: true }])
})

test('excluded attributes and parts go, id and schemas stay, the order is the one of the document', () => {
  assert.deepEqual(namesOf(without('emails,groups,id,schemas,meta')), [
    'schemas',
    'id',
    'externalId',
    'userName',
    'name',
    'displayName',
    'active',
    enterpriseUrn,
    badgesUrn,
    provisioningUrn,
  ])
  assert.deepEqual(without('EMAILS.VALUE').emails, [{ type: 'work', primary: true }, { type: 'home' }])
  assert.deepEqual(without(`${enterpriseUrn}:manager`)[enterpriseUrn], { department: 'Mathematics' })
  assert.equal(namesOf(without(`${provisioningUrn},department,manager`)).includes(enterpriseUrn), false)
  assert.equal(namesOf(without(provisioningUrn)).includes(provisioningUrn), false)
})

test('both parameters at once are refused', () => {
  const { status, scimType, message } = problemOf(() => parseProjection(schemas.user, 'id', 'emails'))
  assert.deepEqual(
    [status, scimType, message],
    [400, 'invalidValue', 'attributes and excludedAttributes cannot be used together.'],
  )
})

test('an empty parameter is as absent', () => {
  for (const [one, other] of [
    ['', undefined],
    [undefined, ' '],
    ['', ''],
    [undefined, undefined],
  ]) {
    const projection = parseProjection(schemas.user, one, other)
    assert.equal(projection.isWhole, true)
    assert.deepEqual(projection.project(whole), whole)
  }
  assert.equal(parseProjection(schemas.user, 'userName', '').isWhole, false)
})

test('a password is never returned, even where it is asked for', () => {
  const leaked = { ...whole, password: 'secret' }
  for (const projection of [
    parseProjection(schemas.user, 'password', undefined),
    parseProjection(schemas.user, undefined, 'emails'),
    parseProjection(schemas.user, undefined, undefined),
  ]) {
    assert.equal('password' in projection.project(leaked), false)
  }
})

test('a projection says what need not be read', () => {
  const ofGroup = (attributes?: string, excluded?: string) =>
    parseProjection(schemas.group, attributes, excluded).wantsMembers
  assert.deepEqual(
    [ofGroup(), ofGroup('displayName'), ofGroup('members.value'), ofGroup(groupUrn)],
    [true, false, true, true],
  )
  assert.deepEqual(
    [ofGroup(undefined, 'MEMBERS'), ofGroup(undefined, 'members.display'), ofGroup(undefined, 'displayName')],
    [false, true, true],
  )
  const ofUser = (attributes?: string, excluded?: string) => {
    const { wantsGroups, wantsProvisioning, wantsMembers } = parseProjection(schemas.user, attributes, excluded)
    return [wantsGroups, wantsProvisioning, wantsMembers]
  }
  assert.deepEqual(ofUser(), [true, true, false])
  assert.deepEqual(ofUser('userName'), [false, false, false])
  assert.deepEqual(ofUser(`groups.value,${provisioningUrn}:state`), [true, true, false])
  assert.deepEqual(ofUser(undefined, `groups,${provisioningUrn}`), [false, false, false])
  assert.equal(parseProjection(schemas.group, undefined, undefined).wantsProvisioning, false)
  assert.equal(parseProjection(schemas.group, undefined, undefined).wantsGroups, false)
})

test('an endless list of names is refused', () => {
  assert.equal(
    problemOf(() => parseProjection(schemas.user, 'userName,'.repeat(5_000), undefined)).scimType,
    'invalidValue',
  )
})
