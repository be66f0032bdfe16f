import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type ConsoleWorld, startConsoleWorld, type Visitor } from './console-world.ts'

const provisioning = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'

async function world(t: TestContext, change?: (figshare: JsonObject) => void): Promise<ConsoleWorld> {
  const started = await startConsoleWorld((config) => {
    const { connections } = config
    assert.ok(typeof connections === 'object' && connections !== null && !Array.isArray(connections))
    const { figshare } = connections
    assert.ok(typeof figshare === 'object' && figshare !== null && !Array.isArray(figshare))
    change?.(figshare)
  })
  t.after(() => started.stop())
  return started
}

async function textOf(visitor: Visitor, path: string): Promise<string> {
  return (await visitor.get(path)).text()
}

async function stateOf(at: ConsoleWorld, id: string): Promise<string> {
  return (await at.scim('figshare').get(`/Users/${id}`)).body[provisioning].state
}

/** Somebody whose change has failed to reach the platform. */
async function waitingPerson(at: ConsoleWorld): Promise<string> {
  const scim = at.scim('figshare')
  const { id } = (await scim.post('/Users', aUser())).body
  at.sandbox.figshare.fault({ mode: '500' })
  const answer = await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }])
  assert.equal(answer.status, 429)
  return id
}

test('a button asks first, needs a reason, does it once, and is in the audit with the operator and the reason', async (t) => {
  const at = await world(t)
  const id = await waitingPerson(at)
  const visitor = await at.visitor()
  const path = `/people/figshare/${id}/hold`
  assert.match(await textOf(visitor, path), /Nothing is written for this person until you release it/)
  assert.equal(await stateOf(at, id), 'pending')
  const without = await visitor.post(path, { why: ' ' })
  assert.equal(without.status, 409)
  assert.match(await without.text(), /Nothing was done: the reason has to be one line/)
  const held = await visitor.post(path, { why: 'ticket 4711' })
  assert.equal(held.headers.get('location'), `/console/people/figshare/${id}`)
  assert.equal(await stateOf(at, id), 'held')
  const page = await textOf(visitor, `/people/figshare/${id}`)
  assert.match(page, /role="status">Done: nothing is written for this user until you release it/)
  assert.match(page, /action: hold why: ticket 4711[^<]*<\/td>\s*<td>operator console-1<\/td>/)
  assert.doesNotMatch(await textOf(visitor, `/people/figshare/${id}`), /role="status"/)
})

test('what failed of one cause is tried again all at once', async (t) => {
  const at = await world(t)
  const ids = [await waitingPerson(at)]
  at.sandbox.figshare.fault({ mode: 'ok' })
  ids.push(await waitingPerson(at))
  const visitor = await at.visitor()
  const page = await textOf(visitor, '/operations?connection=figshare')
  assert.match(page, />2 waiting<\/a>/)
  const [, query = ''] = /href="\/console\/operations\/retry-cause\?([^"]+)"/.exec(page) ?? []
  const cause = Object.fromEntries(new URLSearchParams(query.replaceAll('&amp;', '&')))
  const confirm = await textOf(visitor, `/operations/retry-cause?${query.replaceAll('&amp;', '&')}`)
  assert.match(confirm, /is attempted again, at its pace/)
  at.sandbox.figshare.fault({ mode: 'ok' })
  const answer = await visitor.post('/operations/retry-cause', { ...cause, why: 'it is back' })
  assert.equal(answer.headers.get('location'), '/console/operations?connection=figshare')
  assert.match(await textOf(visitor, '/operations?connection=figshare'), /Done: 2 operations: they are tried again now/)
  for (const id of ids)
    await eventually(
      'applied',
      async () => (await stateOf(at, id)) === 'applied',
      () => at.clock.advance(100),
    )
  assert.match(await textOf(visitor, '/operations?connection=figshare'), /Nothing is unfinished\./)
})

test('departures that the guardrail holds are shown, and released all at once', async (t) => {
  const at = await world(t, (figshare) => {
    figshare.guardrails = { hold: true }
  })
  const scim = at.scim('figshare')
  const ids: string[] = []
  for (let n = 0; n < 12; n += 1) ids.push((await scim.post('/Users', aUser())).body.id)
  for (const id of ids) await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
  const visitor = await at.visitor()
  assert.match(await textOf(visitor, ''), /<strong class="badge bad">Held<\/strong> 2 departures wait for your word\./)
  assert.match(await textOf(visitor, '/operations?connection=figshare'), /Release the departures that are held/)
  assert.equal(
    (await visitor.post('/operations/release-all', { connection: 'figshare', why: 'end of term' })).status,
    303,
  )
  await eventually(
    'off',
    async () => (await stateOf(at, ids[11] ?? '')) === 'applied',
    () => at.clock.advance(100),
  )
})

test('all accounts are applied again by a button, and another one stops that', async (t) => {
  const at = await world(t)
  await at.scim('figshare').post('/Users', aUser())
  const visitor = await at.visitor()
  const page = () => textOf(visitor, '/operations?connection=figshare')
  assert.match(await page(), /Nobody has asked for it[\s\S]*?Apply all again<\/a>/)
  const nothing = await visitor.post('/operations/cancel-reapply', { connection: 'figshare', why: 'x' })
  assert.match(await nothing.text(), /Nothing was done: nobody writes all users of figshare again/)
  await visitor.post('/operations/reapply-all', { connection: 'figshare', why: 'new mapping' })
  assert.match(await page(), /Asked for by console-1: 0[\s\S]*?Stop applying all again<\/a>/)
  await visitor.post('/operations/cancel-reapply', { connection: 'figshare', why: 'too early' })
  assert.match(
    await page(),
    /Last asked for by console-1[\s\S]*?cancelled by console-1: what is in line already is written/,
  )
  await visitor.post('/operations/reapply-all', { connection: 'figshare', why: 'now' })
  await eventually(
    'done',
    async () => /1 accounts are written again/.test(await page()),
    () => at.clock.advance(500),
  )
})

test('an account is let go of, and another one adopted', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('figshare').post('/Users', aUser())
  const { accountId } = body[provisioning]
  const visitor = await at.visitor()
  assert.equal((await visitor.post(`/people/figshare/${body.id}/unlink`, { why: 'wrong person' })).status, 303)
  assert.match(await textOf(visitor, `/people/figshare/${body.id}`), /Adopt an account/)
  const nobody = await visitor.post(`/people/figshare/${body.id}/adopt`, { why: 'right person', account: '99' })
  assert.equal(nobody.status, 409)
  assert.match(await nobody.text(), /Figshare has no account 99/)
  const adopted = await visitor.post(`/people/figshare/${body.id}/adopt`, { why: 'right person', account: accountId })
  assert.equal(adopted.status, 303)
  assert.match(await textOf(visitor, `/people/figshare/${body.id}`), new RegExp(`<dd>${accountId}</dd>`))
})

test('a page, an action and a connection that there are not are answered alike, and change nothing', async (t) => {
  const at = await world(t)
  const id = await waitingPerson(at)
  const visitor = await at.visitor()
  for (const path of [
    `/people/figshare/${id}/drop`,
    `/people/figshare/${id}/__proto__`,
    `/people/nowhere/${id}/hold`,
    '/operations/constructor',
    '/findings/x',
  ]) {
    assert.equal((await visitor.get(path)).status, 404, path)
    assert.equal((await visitor.post(path, { why: 'x', connection: 'figshare' })).status, 404, path)
  }
  assert.equal((await visitor.post('/operations/release-all', { why: 'x', connection: 'nowhere' })).status, 404)
  assert.equal(await stateOf(at, id), 'pending')
})

test('a suspended connection says why on the overview, and is asked again by a button', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('figshare').post('/Users', aUser())
  at.sandbox.figshare.fault({ mode: '401' })
  await at.scim('figshare').patch(`/Users/${body.id}`, [{ op: 'replace', path: 'name.familyName', value: 'B' }])
  const visitor = await at.visitor()
  assert.match(
    await textOf(visitor, ''),
    /badge bad">Suspended<\/strong> The platform refuses the bridge&#39;s own credentials/,
  )
  at.sandbox.figshare.fault({ mode: 'ok' })
  await visitor.post('/operations/resume', { connection: 'figshare', why: 'token renewed' })
  await eventually(
    'applied',
    async () => (await stateOf(at, body.id)) === 'applied',
    () => at.clock.advance(100),
  )
  assert.match(await textOf(visitor, ''), /id="connection-figshare"[\s\S]*?badge good">Well/)
})

test('a reconcile is asked for, its findings are shown, and what differs is written again', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('figshare').post('/Users', aUser())
  const { accountId } = body[provisioning]
  const credentials = at.sandbox.figshare.credentials
  const changed = await fetch(`${at.sandbox.figshare.baseUrl}/account/institution/accounts/${accountId}`, {
    method: 'PUT',
    headers: { authorization: `token ${credentials.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ group_id: 100, is_active: false }),
  })
  assert.ok(changed.status < 300)
  const visitor = await at.visitor()
  assert.match(await textOf(visitor, '/findings?connection=figshare'), /were never reconciled/)
  await visitor.post('/findings/report', { connection: 'figshare', why: 'monthly' })
  await eventually(
    'reconciled',
    async () => /asked for by operator console-1/.test(await textOf(visitor, '/findings?connection=figshare')),
    () => at.clock.advance(1_000),
  )
  const page = await textOf(visitor, '/findings?connection=figshare')
  assert.match(page, new RegExp(`<th scope="row">${accountId}</th>`))
  assert.match(page, new RegExp(`href="/console/people/figshare/${body.id}/reapply">Write what is stored`))
})
