import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { problemRules } from '../../src/admin/problems.ts'
import { createAdminRoutes } from '../../src/admin/routes.ts'
import { isJsonObject, type Json } from '../../src/json.ts'
import { type AdminWorld, everyConnectionToken, startAdminWorld, waitingPerson } from '../admin/admin-world.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { keepPromises } from './kept-promises.ts'
import { readOpenApi } from './openapi-document.ts'

const openApi = readOpenApi('docs/admin-openapi.yaml', 'application/json')
const routes = createAdminRoutes(Object.create(null))
const one = '/connections/{connection}'
const person = `${one}/people/{person}`

test('docs/admin-openapi.yaml is an OpenAPI document', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(openApi.document))
  assert.ok(valid, JSON.stringify(errors))
})

/** `components.schemas.Problem` → what is there. */
function at(node: Json | undefined, ...path: readonly string[]): Json | undefined {
  const [name, ...rest] = path
  if (name === undefined) return node
  return at(isJsonObject(node) ? new Map(Object.entries(node)).get(name) : undefined, ...rest)
}

test('it has every endpoint with its role and parameters, and every problem, and no other', () => {
  const paths = at(openApi.document, 'paths')
  assert.ok(isJsonObject(paths))
  const documented = Object.entries(paths).flatMap(([path, item]) =>
    ['get', 'post'].flatMap((method) => {
      const operation = at(item, method)
      if (!isJsonObject(operation)) return []
      const list = Array.isArray(operation.parameters) ? operation.parameters : []
      const names = list.map((one) => {
        const key = String(at(one, '$ref')).split('/').at(-1) ?? ''
        return at(openApi.document, 'components', 'parameters', key, 'name')
      })
      return [`${method.toUpperCase()} ${path} ${operation.description} ${names}`]
    }),
  )
  assert.deepEqual(
    documented.sort(),
    routes.map(({ method, path, role, parameters }) => `${method} ${path} Role \`${role}\`. ${parameters}`).sort(),
  )
  const codes = at(openApi.document, 'components', 'schemas', 'Problem', 'properties', 'code', 'enum')
  assert.deepEqual(codes, [...problemRules.keys()])
})

let world: AdminWorld
let id = ''
before(async () => {
  world = await startAdminWorld()
  id = await waitingPerson(world)
})
after(() => world.stop())

const { ask, assertAll } = keepPromises<string>(openApi, {
  url: () => `${world.url}/admin/v1`,
  mediaType: 'application/json',
  segment: (name, { path }) => new Map(Object.entries({ connection: 'figshare', person: id, ...path })).get(name) ?? '',
  credentials: (token = world.token('operate')) => ({ Authorization: `Bearer ${token}` }),
})

const order = { why: 'ticket 4711' }

async function applied(): Promise<void> {
  world.sandbox.figshare.fault({ mode: 'ok' })
  await eventually(
    'the work is done',
    async () => (await world.get(`/connections/figshare/people/${id}`)).body.operation === undefined,
    () => world.clock.advance(1_000),
  )
}

describe('every answer that docs/admin-openapi.yaml promises is given, and is as it says', () => {
  test('to those who may not', async () => {
    for (const { method, path, role } of routes) {
      const operation = `${method} ${path}`
      const body = method === 'POST' ? { body: order } : {}
      await ask(`${operation} 401`, { ...body, as: 'wrong' })
      const as = world.token(role === 'monitor' ? 'provision' : role === 'read' ? 'monitor' : 'read')
      await ask(`${operation} 403`, { ...body, as })
      if (path !== '/connections') await ask(`${operation} 404`, { ...body, path: { connection: 'dspace' } })
      await ask(`${operation} 400`, { ...body, query: '?nonsense=1' })
      if (method === 'GET') continue
      await ask(`${operation} 400`, { body: { ...order, nonsense: 1 } })
      await ask(`${operation} 415`, { body: 'text', headers: { 'Content-Type': 'text/plain' } })
      await ask(`${operation} 413`, { body: '', headers: { 'Content-Length': '20000' } })
    }
  })

  test('overview, alarms, and what waits', async () => {
    await eventually(
      'calls are suspended',
      async () => (await world.get('/connections/figshare')).body.suspendedFor !== undefined,
      () => world.clock.advance(60_000),
    )
    await eventually(
      'an alarm is on',
      async () => (await world.get('/connections/figshare/alarms')).body.items.length > 0,
      () => world.clock.advance(1_000),
    )
    await ask('GET /connections 200')
    await ask(`GET ${one} 200`)
    await ask(`GET ${one}/alarms 200`)
    const { items } = await ask(`GET ${one}/causes 200`)
    assert.ok(Array.isArray(items) && isJsonObject(items[0]))
    const { state, errorKind, errorMessage } = items[0]
    const cause = new URLSearchParams({ state: `${state}`, errorKind: `${errorKind}`, errorMessage: `${errorMessage}` })
    const operations = await ask(`GET ${one}/operations 200`, { query: `?${cause}` })
    assert.ok(Array.isArray(operations.items) && operations.items.length === 1)
    await ask(`GET ${person} 200`)
    await ask(`POST ${one}/causes/retry 409`, { body: { ...order, errorKind: 'disputed' } })
    await ask(`POST ${one}/causes/retry 200`, { body: { ...order, errorKind, errorMessage } })
    await ask(`POST ${one}/resume 200`, { body: order })
    await ask(`POST ${one}/release 409`, { body: order })
  })

  test('people, and what is done about one', async () => {
    await ask(`POST ${person}/release 409`, { body: order })
    await ask(`POST ${person}/hold 200`, { body: order })
    await ask(`POST ${person}/retry 409`, { body: order })
    await ask(`POST ${person}/reapply 409`, { body: order })
    await ask(`POST ${person}/release 200`, { body: order })
    await ask(`POST ${person}/retry 200`, { body: order })
    await applied()
    await ask(`POST ${person}/hold 409`, { body: order })
    await ask(`POST ${person}/reapply 200`, { body: order })
    await applied()
    const { link } = await ask(`GET ${person} 200`)
    assert.ok(isJsonObject(link))
    const adoption = { ...order, account: link.accountId }
    await ask(`POST ${person}/adopt 409`, { body: adoption })
    await ask(`POST ${person}/unlink 200`, { body: { ...order, force: false } })
    await ask(`POST ${person}/unlink 409`, { body: order })
    await ask(`GET ${person} 200`)
    await ask(`GET ${person}/account 200`)
    world.sandbox.figshare.fault({ mode: 'down' })
    await ask(`GET ${person}/account 503`)
    await ask(`POST ${person}/adopt 503`, { body: adoption })
    world.sandbox.figshare.fault({ mode: 'ok' })
    await ask(`POST ${person}/adopt 200`, { body: adoption })
    await applied()
    await ask(`GET ${person}/history 200`, { query: '?limit=1' })
    await ask(`GET ${one}/people 200`)
    await ask(`GET ${one}/people 200`, { query: '?search=ada' })
    const members = [{ value: id }]
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const group = await world.scim('figshare').post('/Groups', { schemas, displayName: 'Readers', members })
    await ask(`GET ${person} 200`, { path: { person: group.body.id } })
    await ask(`GET ${person}/members 200`, { path: { person: group.body.id } })
    await ask(`GET ${person}/members 404`)
    await ask(`GET ${person}/account 409`, { path: { person: group.body.id } })
    const reader = await world.scim('dspace').post('/Users', aUser())
    const ofReaders = [{ value: reader.body.id }]
    const made = await world.scim('dspace').post('/Groups', { schemas, displayName: 'Readers', members: ofReaders })
    const ofDspace = { path: { connection: 'dspace', person: made.body.id }, as: everyConnectionToken }
    await ask(`GET ${person}/members 200`, ofDspace)
    assert.ok(JSON.stringify((await ask(`GET ${person} 200`)).groups).includes('Readers'))
  })

  test('departures that are held', async (t) => {
    const other = await startAdminWorld((config) => {
      const figshare = at(config, 'connections', 'figshare')
      assert.ok(isJsonObject(figshare))
      figshare.guardrails = { hold: true }
    })
    const before = world
    world = other
    t.after(async () => {
      world = before
      await other.stop()
    })
    const ids: string[] = []
    for (let count = 0; count < 12; count += 1) ids.push((await other.scim('figshare').post('/Users', aUser())).body.id)
    for (const one of ids) await other.scim('figshare').delete(`/Users/${one}`)
    await ask(`GET ${one}/causes 200`)
    await ask(`POST ${one}/release 200`, { body: order })
  })

  test('all accounts again, reconcile, findings, requests', async () => {
    await ask(`GET ${one}/reapply 200`)
    await ask(`POST ${one}/reapply/cancel 409`, { body: order })
    await ask(`POST ${one}/reapply 200`, { body: order })
    await ask(`POST ${one}/reapply 409`, { body: order })
    await ask(`GET ${one}/reapply 200`)
    await ask(`POST ${one}/reapply/cancel 200`, { body: order })
    await ask(`GET ${one}/reapply 200`)
    await ask(`GET ${one}/findings 200`)
    await ask(`GET ${one}/reconcile 200`)
    await ask(`POST ${one}/reconcile 200`, { body: { ...order, repair: true } })
    await ask(`GET ${one}/reconcile 200`)
    await eventually(
      'it is reconciled',
      async () => (await world.get('/connections/figshare/reconcile')).body.last !== undefined,
      () => world.clock.advance(1_000),
    )
    await ask(`GET ${one}/reconcile 200`)
    const found = await ask(`GET ${one}/findings 200`)
    assert.ok(Array.isArray(found.items) && found.items.length > 0)
    await ask(`GET ${one} 200`)
    const { items } = await ask(`GET ${one}/requests 200`)
    assert.ok(Array.isArray(items) && items.length > 0)
  })

  test('and no promise was left out', () => {
    assertAll()
  })
})

test('what is not offered is a problem of the list, too', async () => {
  for (const [method, path, status, code] of [
    ['DELETE', one, 405, 'method_not_allowed'],
    ['GET', `${person}/hold`, 405, 'method_not_allowed'],
    ['GET', '/nonsense', 404, 'not_found'],
    ['GET', `${one}/people/%ff`, 404, 'not_found'],
    ['GET', `${one}/people/${'x'.repeat(3_000)}`, 404, 'not_found'],
  ] as const) {
    const url = `${world.url}/admin/v1${path.replace('{connection}', 'figshare').replace('{person}', id)}`
    const answer = await fetch(url, { method, headers: { authorization: `Bearer ${world.token('operate')}` } })
    const text = await answer.text()
    assert.deepEqual([answer.status, JSON.parse(text).code], [status, code], path.slice(0, 60))
    const headers = { 'content-type': answer.headers.get('content-type') ?? '' }
    assert.deepEqual(openApi.problemsOf('GET', one, undefined, { status: 500, headers, text }), [])
    if (status === 405) assert.ok(answer.headers.get('allow') !== null)
  }
})
