import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ada, type FigshareWorld, figshareWorld } from './figshare-world.ts'

async function upload({ portal, simulator }: FigshareWorld, records: string, field = 'hrfeed') {
  const form = new FormData()
  form.set(field, new Blob([`<?xml version="1.0"?><HRFeed>${records}</HRFeed>`]), 'feed.xml')
  const answer = await fetch(`${simulator.baseUrl}/institution/hrfeed/upload`, {
    method: 'POST',
    headers: { authorization: `token ${portal.credentials.token}` },
    body: form,
  })
  return { status: answer.status, json: await answer.json() }
}

test('a feed is only accepted at first; its people change when its time has come, and absent ones stay', async () => {
  let now = 1_000_000
  const world = await figshareWorld({ now: () => now })
  const known = world.portal.addAccount({ ...ada, quota: 50 })
  const absent = world.portal.addAccount({ email: 'b@example.org', last_name: 'B', institution_user_id: 'b' })
  const accepted = await upload(
    world,
    '<Record><UniqueID>ada</UniqueID><LastName>King &amp; Co</LastName><Email>new@example.org</Email><UserQuota>9</UserQuota>' +
      '<UserAssociationCriteria>Chemistry</UserAssociationCriteria></Record>' +
      '<Record><UniqueID>c</UniqueID><LastName>C</LastName><Email>c@example.org</Email><UserQuota>7</UserQuota></Record>',
  )
  assert.deepEqual(accepted, { status: 200, json: { message: 'OK', code: '200' } })
  assert.equal(known.last_name, 'Lovelace')
  now += 60_000
  await world.call('GET', '/account')
  assert.deepEqual(
    [known.last_name, known.email, known.group_id, known.quota],
    ['King & Co', 'new@example.org', 102, 50],
  )
  assert.equal(world.portal.state.byEmail('new@example.org')[0], known)
  assert.equal(world.portal.state.byUserId('c')[0]?.quota, 7)
  assert.equal(absent.active, true)
})

test('a second feed within a day is turned away, and a leaver loses access and unused quota', async () => {
  let now = 1_000_000
  const world = await figshareWorld({ now: () => now, knobs: { hrFeedDelayMs: 0 } })
  const known = world.portal.addAccount({ ...ada, quota: 50 })
  const leaver = '<Record><UniqueID>ada</UniqueID><IsActive>N</IsActive></Record>'
  await upload(world, leaver)
  const early = await upload(world, leaver)
  assert.deepEqual(early, {
    status: 400,
    json: { message: 'Previous feed import not complete.', data: null, errcode: 'FigshareAPIException' },
  })
  assert.deepEqual([known.active, known.quota], [false, 0])
  now += 24 * 3_600_000
  assert.equal((await upload(world, leaver)).status, 200)
})

test('the quota of somebody known changes only when the feed insists, and element names are the portal’s', async () => {
  const world = await figshareWorld({ knobs: { hrFeedDelayMs: 0 } })
  const known = world.portal.addAccount({ ...ada, quota: 50 })
  world.portal.knobs.hrFeedNames = { ...world.portal.knobs.hrFeedNames, uniqueId: 'Proprietary_ID', quota: 'Quota' }
  await upload(
    world,
    '<Record><Proprietary_ID>ada</Proprietary_ID><Quota>9</Quota><ForceQuotaUpdate>Y</ForceQuotaUpdate></Record>',
  )
  await world.call('GET', '/account')
  assert.equal(known.quota, 9)
})

test('without the file field, or where the feed is off, an upload is refused', async () => {
  const world = await figshareWorld()
  assert.equal((await upload(world, '', 'file')).status, 400)
  world.portal.knobs.hrFeed = false
  assert.equal((await upload(world, '')).status, 403)
})
