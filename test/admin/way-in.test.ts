import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { signIn } from '../console/console-world.ts'
import { type AdminWorld, everyConnectionToken, startAdminWorld } from './admin-world.ts'

let at: AdminWorld
let person = ''
let personOfDspace = ''
before(async () => {
  at = await startAdminWorld()
  person = (await at.scim('figshare').post('/Users', aUser())).body.id
  personOfDspace = (await at.scim('dspace').post('/Users', aUser())).body.id
})
after(() => at.stop())

const one = '/connections/figshare'

describe('who may come into the admin API', () => {
  test('nobody without a valid bearer token, and all are told alike', async () => {
    const answers = new Set<string>()
    const basic = `Basic ${Buffer.from(`operator:${at.token('operate')}`).toString('base64')}`
    const scim = await fetch(`${at.url}/admin/v1${one}`)
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: basic },
      { authorization: at.token('operate') },
    ]) {
      const answer = await fetch(`${at.url}/admin/v1${one}`, { headers: { ...headers } })
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      assert.equal(answer.headers.get('www-authenticate'), scim.headers.get('www-authenticate'))
      const { instance: _, ...body } = Object(await answer.json())
      answers.add(JSON.stringify(body))
    }
    assert.equal(answers.size, 1)
    assert.equal(JSON.parse([...answers][0] ?? '').code, 'unauthenticated')
  })

  test("a session of the operator's pages opens nothing here", async () => {
    const { cookie } = await signIn(at.url, everyConnectionToken)
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${at.url}/admin/v1${one}/people`, { method, headers: { cookie } })
      assert.equal(answer.status, 401, method)
    }
  })

  test("an identity provider's token opens nothing, neither the configured one nor one of the store", async () => {
    for (const token of [at.tokens.get('figshare') ?? '', at.token('provision')]) {
      for (const path of ['/connections', one, `${one}/people`, `${one}/nonsense`]) {
        const answer = await at.get(path, token)
        assert.deepEqual([answer.status, answer.body.code], [403, 'insufficient_role'], path)
      }
    }
  })

  test('monitor sees counts and alarms, read sees everything, and only operate does something', async () => {
    const reads = ['/people', `/people/${person}`, `/people/${person}/history`, '/causes', '/operations?state=failed']
    const others = ['/reapply', '/reconcile', '/findings', '/requests']
    const statuses = async (role: 'monitor' | 'read' | 'operate', paths: readonly string[]) =>
      new Set(await Promise.all(paths.map(async (path) => (await at.get(one + path, at.token(role))).status)))
    for (const role of ['monitor', 'read', 'operate'] as const) {
      assert.deepEqual(await statuses(role, ['', '/alarms']), new Set([200]))
      assert.equal((await at.get('/connections', at.token(role))).status, 200)
      assert.deepEqual(await statuses(role, [...reads, ...others]), new Set([role === 'monitor' ? 403 : 200]))
      const order = { why: 'a test' }
      const action = await at.post(`${one}/people/${person}/reapply`, order, at.token(role))
      assert.equal(action.status, role === 'operate' ? 200 : 403, role)
    }
  })

  test('a token of one connection sees and does nothing of another one, as if there were none', async () => {
    const { body } = await at.get('/connections')
    assert.deepEqual(
      body.items.map(({ name }: { name: string }) => name),
      ['figshare'],
    )
    for (const path of ['', '/people', `/people/${personOfDspace}`, '/requests', '/alarms', '/causes']) {
      const there = await at.get(`/connections/dspace${path}`)
      const nowhere = await at.get(`/connections/nowhere${path}`)
      assert.deepEqual([there.status, there.body.detail], [404, nowhere.body.detail], path)
      assert.equal(nowhere.status, 404)
    }
    const done = await at.post(`/connections/dspace/people/${personOfDspace}/unlink`, { why: 'a test' })
    assert.equal(done.status, 404)
    // Through its own connection the id leads nowhere either.
    assert.equal((await at.get(`${one}/people/${personOfDspace}`)).status, 404)
    assert.equal((await at.post(`${one}/people/${personOfDspace}/retry`, { why: 'a test' })).status, 404)
    const link = await at.get(`/connections/dspace/people/${personOfDspace}`, at.token('operate', 'dspace'))
    assert.equal(link.body.link.state, 'live')
  })

  test('a token of console.tokens sees every connection', async () => {
    const { body } = await at.get('/connections', everyConnectionToken)
    assert.equal(body.items.length, 5)
    assert.equal((await at.get(`/connections/dspace/people/${personOfDspace}`, everyConnectionToken)).status, 200)
  })

  test('nothing of a body is read before it is known who asks, and that they may', async () => {
    for (const [token, status] of [
      ['wrong', 401],
      [at.token('read'), 403],
    ] as const) {
      const answer = await announceBody(`${at.url}/admin/v1${one}/resume`, token)
      assert.equal(answer, status)
    }
  })

  test('attempts are logged with the door, and without anything that was sent', async () => {
    await at.get('/connections', 'scimb_guessed-by-somebody')
    const lines = at.logLines.filter((line) => line.includes('"door":"admin"'))
    assert.ok(lines.length > 0)
    assert.ok(!at.logLines.join('').includes('guessed-by-somebody'))
  })

  test('requests are counted by route, without ids', async () => {
    await at.get(`${one}/people/${person}`)
    const line = at.logLines.findLast((text) => text.includes('"route":"admin/connections/*/people/*"'))
    assert.match(line ?? '', /"connection":"figshare","caller":"token:operate-figshare"/)
    await at.get('/connections/made-up-by-a-caller')
    assert.ok(!at.logLines.join('').includes('made-up-by-a-caller'))
  })
})

test('after too many failures an address is told to wait, and valid tokens are still taken', async (t) => {
  const world = await startAdminWorld()
  t.after(() => world.stop())
  const statuses: number[] = []
  for (let attempt = 0; attempt < 302; attempt += 1) statuses.push((await world.get('/connections', 'wrong')).status)
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429])
  const last = await world.get('/connections', 'wrong')
  assert.equal(last.body.code, 'too_many_requests')
  assert.ok(Number(last.headers.get('retry-after')) > 0)
  assert.equal((await world.get('/connections')).status, 200)
})

test('who asks too fast is told to go slower', async (t) => {
  const world = await startAdminWorld((config) => {
    config.limits = { requestsPerSecond: 1, burst: 2 }
  })
  t.after(() => world.stop())
  const answers = [await world.get('/connections'), await world.get('/connections'), await world.get('/connections')]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 429],
  )
  assert.equal(answers[2]?.headers.get('retry-after'), '1')
  // Another caller is another one.
  assert.equal((await world.get('/connections', world.token('read'))).status, 200)
})

/** A POST whose body is announced and never sent; answers the status. */
function announceBody(url: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': '100' }
    const request = httpRequest(url, { method: 'POST', headers, agent: false }, (response) => {
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    request.on('error', reject)
    request.flushHeaders()
  })
}
