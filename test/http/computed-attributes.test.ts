/** `computedAttributes: hide`: for clients that compare what they get with what they sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { groupUrn, provisioningUrn } from '../../src/scim/attribute.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'

test('hidden: no Provisioning extension and no names of members, neither announced nor answered', async (t) => {
  const world = await startBridgeWorld(({ connections }) => {
    if (isJsonObject(connections) && isJsonObject(connections.dspace)) connections.dspace.computedAttributes = 'hide'
  })
  t.after(() => world.stop())
  const scim = world.scim('dspace')
  const made = await scim.post('/Users', aUser())
  assert.equal(made.status, 201, made.text)
  const { id } = made.body
  const group = await scim.post('/Groups', { schemas: [groupUrn], displayName: 'Readers', members: [{ value: id }] })
  assert.equal(group.status, 201, group.text)
  const answers = [made, group]
  for (const path of [`/Users/${id}`, '/Users', `/Groups/${group.body.id}`, '/Groups', '/Schemas', '/ResourceTypes'])
    answers.push(await scim.get(path))
  for (const { text } of answers) assert.ok(!text.includes(provisioningUrn), text)
  const $ref = `${new URL(group.body.meta.location).href.replace(/Groups.*/, '')}Users/${id}`
  for (const { body } of [group, await scim.get(`/Groups/${group.body.id}`)])
    assert.deepEqual(body.members, [{ value: id, $ref, type: 'User' }])
  assert.equal((await scim.get('/Groups')).body.Resources[0].members[0].display, undefined)
  const { attributes } = (await scim.get(`/Schemas/${groupUrn}`)).body
  const members = attributes.find(({ name }: { name: string }) => name === 'members')
  assert.deepEqual(
    members.subAttributes.map(({ name }: { name: string }) => name),
    ['value', '$ref', 'type'],
  )
  assert.equal((await world.scim('figshare').post('/Users', aUser())).body[provisioningUrn].state, 'applied')
})
