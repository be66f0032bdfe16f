/** The examples of RFC 7644 for filters (§3.4.2.2, figure 2) and PATCH (§3.5.2.1 to §3.5.2.3), as they are printed there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('dspace')
})
after(() => world.stop())

async function created(path: string, body: JsonObject): Promise<JsonObject> {
  const answer = await scim.post(path, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

describe('filters', () => {
  const work = (value: string) => [{ value, type: 'work', primary: true }]
  before(async () => {
    const people: readonly JsonObject[] = [
      {
        userName: 'bjensen',
        name: { givenName: 'B', familyName: 'Jensen' },
        emails: work('bjensen@example.com'),
        title: 'Tour Guide',
        userType: 'Employee',
      },
      {
        userName: 'omalley',
        name: { givenName: 'B', familyName: "O'Malley" },
        emails: work('o@example.org'),
        userType: 'Intern',
      },
      {
        userName: 'Jane',
        name: { givenName: 'B', familyName: 'Doe' },
        emails: [{ value: 'jane@example.net', type: 'home' }],
        userType: 'Employee',
        ims: [{ type: 'xmpp', value: 'jane@foo.com' }],
      },
      {
        userName: 'jim',
        name: { givenName: 'B', familyName: 'Poe' },
        emails: work('jim@example.net'),
        title: 'Dean',
        [enterpriseUrn]: { department: 'x' },
      },
    ]
    for (const person of people) await created('/Users', aUser(person))
  })
  const all = ['bjensen', 'Jane', 'jim', 'omalley']
  for (const [filter, found] of [
    ['userName eq "bjensen"', ['bjensen']],
    [`name.familyName co "O'Malley"`, ['omalley']],
    ['userName sw "J"', ['Jane', 'jim']],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"', ['Jane', 'jim']],
    ['title pr', ['bjensen', 'jim']],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', all],
    ['meta.lastModified ge "2011-05-13T04:42:34Z"', all],
    ['meta.lastModified lt "2011-05-13T04:42:34Z"', []],
    ['meta.lastModified le "2011-05-13T04:42:34Z"', []],
    ['title pr and userType eq "Employee"', ['bjensen']],
    ['title pr or userType eq "Intern"', ['bjensen', 'jim', 'omalley']],
    [`schemas eq "${enterpriseUrn}"`, ['jim']],
    ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', ['bjensen']],
    ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', ['jim']],
    ['userType eq "Employee" and (emails.type eq "work")', ['bjensen']],
    ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', ['bjensen']],
    [
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
      ['bjensen', 'Jane'],
    ],
  ] as const) {
    test(filter, async () => {
      const answer = await scim.get(`/Users?filter=${encodeURIComponent(filter)}&sortBy=userName`)
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(
        answer.body.Resources.map((user: JsonObject) => user.userName),
        found,
      )
    })
  }

  test('one condition on a value does not hold for the sum of all values', async () => {
    const emails = [
      { value: 'both@example.com', type: 'home' },
      { value: 'both@example.edu', type: 'work' },
    ]
    await created('/Users', aUser({ userName: 'both', emails }))
    const total = async (filter: string) =>
      (await scim.get(`/Users?filter=${encodeURIComponent(`userName eq "both" and ${filter}`)}`)).body.totalResults
    assert.equal(await total('emails.type eq "work" and emails.value co "@example.com"'), 1)
    assert.equal(await total('emails[type eq "work" and value co "@example.com"]'), 0)
  })
})

describe('changes of a user', () => {
  const home = { value: 'babs@jensen.org', type: 'home' }
  const address = {
    type: 'work',
    streetAddress: '100 Universal City Plaza',
    locality: 'Hollywood',
    region: 'CA',
    postalCode: '91608',
    country: 'USA',
  }
  async function patched(before: JsonObject, ...operations: JsonObject[]): Promise<JsonObject> {
    const user = await created('/Users', aUser(before))
    const answer = await scim.patch(`/Users/${user.id}`, operations)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual((await scim.get(`/Users/${user.id}`)).body, answer.body)
    return answer.body
  }

  test('add without path adds to a list and sets a nickname, whose name comes in another letter case', async () => {
    const emails = [{ value: 'bj1@example.com', type: 'work', primary: true }]
    const user = await patched({ emails }, { op: 'add', value: { emails: [home], nickname: 'Babs' } })
    assert.deepEqual([user.emails, user.nickName], [[...emails, home], 'Babs'])
  })

  test('remove of the values that a filter names', async () => {
    const kept = { value: 'bj2@example.org', type: 'work', primary: true }
    const emails = [{ value: 'bj2@example.com', type: 'work' }, kept, { value: 'x2@example.com', type: 'home' }]
    const path = 'emails[type eq "work" and value ew "example.com"]'
    assert.deepEqual((await patched({ emails }, { op: 'remove', path })).emails, emails.slice(1))
  })

  test('replace of a whole address', async () => {
    const formatted = '911 Universal City Plaza\nHollywood, CA 91608 US'
    const value = { ...address, streetAddress: '911 Universal City Plaza', country: 'US', formatted, primary: true }
    const addresses = [
      { ...address, postalCode: '1' },
      { ...address, type: 'home' },
    ]
    const user = await patched({ addresses }, { op: 'replace', path: 'addresses[type eq "work"]', value })
    assert.deepEqual(user.addresses, [value, addresses[1]])
  })

  test('replace of one part of an address', async () => {
    const path = 'addresses[type eq "work"].streetAddress'
    const user = await patched({ addresses: [address] }, { op: 'replace', path, value: '1010 Broadway Ave' })
    assert.deepEqual(user.addresses, [{ ...address, streetAddress: '1010 Broadway Ave' }])
  })

  test('replace without path replaces the lists that it names, and nothing else', async () => {
    const emails = [{ value: 'bj3@example.com', type: 'work', primary: true }, home]
    const before = { title: 'Guide', emails: [{ value: 'old3@example.com' }] }
    const user = await patched(before, { op: 'replace', value: { emails, nickname: 'Babs' } })
    assert.deepEqual([user.emails, user.nickName, user.title], [emails, 'Babs', 'Guide'])
  })
})

describe('changes of a group', () => {
  let counter = 0
  async function patched(
    ...operations: ((ids: string[]) => JsonObject)[]
  ): Promise<[members: string[], ids: string[]]> {
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) ids.push(String((await created('/Users', aUser())).id))
    counter += 1
    const members = ids.slice(0, 2).map((value) => ({ value }))
    const group = await created('/Groups', { schemas: [groupUrn], displayName: `Tour Guides ${counter}`, members })
    const answer = await scim.patch(
      `/Groups/${group.id}`,
      operations.map((operation) => operation(ids)),
    )
    assert.equal(answer.status, 204, answer.text)
    const after: JsonObject[] = (await scim.get(`/Groups/${group.id}`)).body.members ?? []
    return [after.map((member) => String(member.value)).sort(), ids]
  }
  const named = (value: string | undefined) => ({
    display: 'Babs Jensen',
    $ref: `https://example.com/v2/Users/${value}`,
    value: value ?? '',
  })

  test('add a member', async () => {
    const [members, ids] = await patched(([, , third]) => ({ op: 'add', path: 'members', value: [named(third)] }))
    assert.deepEqual(members, ids.toSorted())
  })

  test('remove one member, and all', async () => {
    const [members, ids] = await patched(([first]) => ({ op: 'remove', path: `members[value eq "${first}"]` }))
    assert.deepEqual(members, [ids[1]])
    assert.deepEqual((await patched(() => ({ op: 'remove', path: 'members' })))[0], [])
  })

  test('remove one member and add another one', async () => {
    const [members, ids] = await patched(
      ([first]) => ({ op: 'remove', path: `members[value eq "${first}"]` }),
      ([, , third]) => ({ op: 'add', path: 'members', value: [named(third)] }),
    )
    assert.deepEqual(members, ids.slice(1).toSorted())
  })

  test('remove all and add others; replace all', async () => {
    const value = (ids: string[]) => ids.slice(1).map(named)
    const [members, ids] = await patched(
      () => ({ op: 'remove', path: 'members' }),
      (all) => ({ op: 'add', path: 'members', value: value(all) }),
    )
    assert.deepEqual(members, ids.slice(1).toSorted())
    const [replaced, others] = await patched((all) => ({ op: 'replace', path: 'members', value: value(all) }))
    assert.deepEqual(replaced, others.slice(1).toSorted())
  })
})
