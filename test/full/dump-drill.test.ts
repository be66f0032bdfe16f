/** The drill of docs/store.md: a dump of a store in use, restored into a new database, and a bridge that starts on it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { sha256 } from '../../src/http/authentication/digest.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { openCredentialsOf } from '../../src/store/open-location.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { postgresProgram, postgresStore, skipPostgres, startPostgres } from '../postgres-server.ts'

const execute = promisify(execFile)

interface Pushed {
  readonly user: JsonObject
  readonly id: string
}

test('a dump of a store in use, restored elsewhere: no operation that was accepted before it is lost', {
  skip: skipPostgres,
}, async (t) => {
  const server = await startPostgres()
  t.after(() => server.end())
  const location = server.location()
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.figshare)) throw new Error('no such connection')
    connections.figshare.mode = 'deferred'
    config.store = postgresStore(location)
  })
  t.after(() => world.stop())
  const { figshare } = world.sandbox
  const scim = () => world.scim('figshare')
  const accountsOf = ({ user }: Pushed) => figshare.logic.state.byEmail(emailOf(user))
  const pass = () => world.clock.advance(1_000)
  const push = async (): Promise<Pushed> => {
    const user = aUser()
    const { body } = await scim().post('/Users', user).expect(201)
    return { user, id: body.id }
  }
  const pushMany = (count: number) => Promise.all(Array.from({ length: count }, push))
  const finished = () =>
    eventually(
      'nothing is pending',
      async () => !(await scim().get('/Users?count=200')).text.includes('"state":"pending"'),
      pass,
    )

  const [staying, leaving, going] = [await pushMany(8), await pushMany(4), await pushMany(4)]
  await finished()
  const now = world.clock.now()
  const token = `scimb_${'x'.repeat(43)}`
  const credentials = await openCredentialsOf(location, { log: createLog('silent'), now })
  const fresh = { connection: 'figshare', name: 'fresh', role: 'provision', createdAt: now } as const
  await credentials.addToken({ ...fresh, sha256: sha256(token).toString('hex'), expiresAt: undefined })
  await credentials.close()

  // From here on nothing reaches the platform: all is work to be done.
  figshare.fault({ mode: 'down' })
  const coming = await pushMany(6)
  const off = [{ op: 'replace', path: 'active', value: false }]
  for (const { id } of leaving) await scim().patch(`/Users/${id}`, off).expect(200)
  for (const { id } of going) await scim().delete(`/Users/${id}`).expect(204)

  const file = join(world.directory, 'store.dump')
  const { host, port, user, schema = '' } = location
  const place = ['--host', host, '--port', String(port), '--username', user]
  const env = { ...process.env, PGPASSWORD: location.password?.() }
  let isDumping = true
  const meanwhile: Pushed[] = []
  const pushing = (async () => {
    do meanwhile.push(await push())
    while (isDumping)
  })()
  const words = ['--format=custom', `--schema=${schema}`, '--file', file, location.database]
  await execute(postgresProgram('pg_dump'), [...place, ...words], { env })
  isDumping = false
  await pushing
  assert.ok(meanwhile.length > 1, 'the store was in use')

  const restored = { ...location, database: 'restored' }
  await world.restart(async () => {
    await server.execute(location, 'create database restored')
    await execute(postgresProgram('pg_restore'), [...place, '--exit-on-error', '--dbname', 'restored', file], { env })
    // A minute later: what the dead bridge had claimed is free.
    await server.execute(restored, 'update claim set claimed_until = claimed_until - 60000')
    const path = join(world.directory, 'bridge.yaml')
    writeFileSync(path, stringify({ ...parse(readFileSync(path, 'utf8')), store: postgresStore(restored) }))
  })
  const { rows } = await server.execute(restored, 'select resource_id from operation')
  const open = new Set(rows.map(({ resource_id }) => resource_id))
  for (const { id } of [...coming, ...leaving, ...going]) assert.ok(open.has(id), id)

  figshare.fault({ mode: 'ok' })
  await finished()
  await eventually(
    'and no operation is left',
    async () => (await server.execute(restored, 'select 1 from operation')).rows.length === 0,
    pass,
  )
  const states = (people: readonly Pushed[]) => people.map((person) => accountsOf(person).map(({ active }) => active))
  assert.deepEqual(
    states(staying),
    staying.map(() => [true]),
  )
  assert.deepEqual(
    states(coming),
    coming.map(() => [true]),
  )
  assert.deepEqual(
    states(leaving),
    leaving.map(() => [false]),
  )
  for (const person of going)
    assert.deepEqual(
      accountsOf(person).filter(({ active }) => active),
      [],
    )
  for (const { id } of going) await scim().get(`/Users/${id}`).expect(404)

  // Those who came too late for the dump are pushed again, as identity providers do; nobody gets two accounts.
  for (const person of meanwhile) {
    const { status } = await scim().post('/Users', person.user)
    assert.ok(status === 201 || status === 409, String(status))
  }
  await finished()
  assert.deepEqual(
    states(meanwhile),
    meanwhile.map(() => [true]),
  )

  const headers = { Authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${world.url}/figshare/scim/v2/Users`, { headers })).status, 200)
  const store = await openPostgres(restored, { clock: world.clock, log: createLog('silent') })
  t.after(() => store.close())
  assert.equal((await store.verifyAudit('figshare')).fault, undefined)
})
