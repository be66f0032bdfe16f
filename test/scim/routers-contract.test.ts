/** What we rely on in the SCIM library and its routers. An update that changes one of these turns it red. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import express, { type ErrorRequestHandler } from 'express'
import SCIMMY from 'scimmy'
import { SCIMMY as routersCopy, SCIMMYRouters } from 'scimmy-routers'
import supertest from 'supertest'
import { guard } from '../../src/scim/guard.ts'

const seen: { constructed: unknown[][]; contexts: unknown[] } = { constructed: [], contexts: [] }
let failure: Error | undefined

const LibraryResource = SCIMMY.Types.Resource as unknown as new () => object
class Thing extends LibraryResource {
  static get endpoint() {
    return '/Things'
  }
  static get schema() {
    return SCIMMY.Schemas.User
  }
  static basepath() {
    return ''
  }
  constructor(...given: unknown[]) {
    super()
    seen.constructed.push(given)
  }
  async read(context: { res: express.Response }) {
    seen.contexts.push(context)
    const keep = (problem: unknown) => {
      context.res.locals.problem = problem
    }
    return guard(keep, async () => {
      if (failure !== undefined) throw failure
      return Buffer.from('{"read":true}')
    })
  }
  async write() {
    return Buffer.from('{"written":true}')
  }
  async patch() {
    return undefined
  }
  async dispose() {}
}

let app: express.Express
before(() => {
  SCIMMY.Resources.declare(Thing as unknown as typeof SCIMMY.Types.Resource, 'Thing')
  const router = new SCIMMYRouters({
    type: 'bearer',
    handler: () => 'caller',
    context: (request: express.Request) => ({ res: request.res }),
  })
  const lastErrorHandler: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(418).json({
      reached: true,
      sent: response.headersSent,
      problem: response.locals.problem,
      type: error.constructor.name,
    })
  }
  app = express().disable('etag').use('/base', router).use(lastErrorHandler)
})
after(() => {
  failure = undefined
})

test('there is one copy of the library: ours is the one that the routers use', () => {
  assert.equal(SCIMMY, routersCopy)
})

test('a Buffer goes out with exactly the SCIM media type', async () => {
  const answer = await supertest(app).get('/base/Things/1')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/scim+json')
  assert.deepEqual(answer.body, { read: true })
})

test('a resource is made with the id as text for items, with the query for collections, with the id alone for DELETE', async () => {
  seen.constructed.length = 0
  await supertest(app).get('/base/Things/1')
  await supertest(app).get('/base/Things')
  await supertest(app).delete('/base/Things/1')
  assert.equal(seen.constructed[0]?.[0], '1')
  assert.equal(typeof seen.constructed[1]?.[0], 'object')
  assert.deepEqual(seen.constructed[2], ['1'])
})

test('POST answers 201, PUT 200, a PATCH of undefined 204, DELETE 204', async () => {
  const send = { schemas: [] }
  assert.equal((await supertest(app).post('/base/Things').send(send)).status, 201)
  assert.equal((await supertest(app).put('/base/Things/1').send(send)).status, 200)
  assert.equal((await supertest(app).patch('/base/Things/1').send(send)).status, 204)
  assert.equal((await supertest(app).delete('/base/Things/1')).status, 204)
})

for (const status of [304, 400, 404, 405, 409, 412, 429, 500, 503]) {
  test(`a guarded failure meant as ${status} reaches the last error handler before a byte is sent`, async () => {
    // As the library answers itself where it can.
    failure = Object.assign(new Error('of ours'), { status })
    const answer = await supertest(app).get('/base/Things/1')
    failure = undefined
    assert.equal(answer.status, 418)
    assert.equal(answer.body.problem.status, status)
    assert.equal(answer.body.sent, false)
  })
}

test('the definitions that our schema tables are compiled from are there', () => {
  for (const schema of [SCIMMY.Schemas.User, SCIMMY.Schemas.Group, SCIMMY.Schemas.EnterpriseUser]) {
    assert.match(schema.definition.id, /^urn:ietf:params:scim:schemas:/)
    assert.ok(schema.definition.attributes.length > 0)
  }
})
