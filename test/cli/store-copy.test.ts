/** Moving a store that has been in use, as an operator does it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { storeCommand } from '../../src/cli/store.ts'
import { createLog } from '../../src/log.ts'
import { eraseUser } from '../../src/provision/erase.ts'
import { copyStore } from '../../src/store/copy-store.ts'
import { credentialFile } from '../../src/store/credentials.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openStore } from '../../src/store/open.ts'
import { openCredentialsOf } from '../../src/store/open-location.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { plainSealer } from '../../src/store/sealing.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { type PostgresServer, postgresStore, skipPostgres, startPostgres } from '../postgres-server.ts'

describe('scim-bridge store copy', { skip: skipPostgres }, () => {
  const token = `scimb_${'y'.repeat(43)}`
  const sha256 = createHash('sha256').update(token).digest('hex')
  let server: PostgresServer
  let world: BridgeWorld
  let location: PostgresLocation
  let file: string
  const ids: string[] = []
  let leaver: string

  before(async () => {
    server = await startPostgres()
    location = server.location()
    world = await startBridgeWorld()
    file = join(world.directory, 'bridge.sqlite')
    const scim = world.scim('dspace')
    for (let count = 0; count < 12; count += 1) {
      const made = await scim.post('/Users', aUser({ displayName: `Ünïcode ${count} 😀` })).expect(201)
      ids.push(made.body.id)
    }
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const members = ids.slice(0, 5).map((value) => ({ value }))
    await scim.post('/Groups', { schemas, displayName: 'Physics', members }).expect(201)
    leaver = ids.pop() ?? ''
    await scim.delete(`/Users/${leaver}`).expect(204)
    const now = world.clock.now()
    const credentials = await openCredentialsOf({ kind: 'sqlite', file }, { log: createLog('silent'), now })
    const made = { connection: 'dspace', name: 'kept', role: 'provision', sha256, createdAt: now } as const
    await credentials.addToken({ ...made, expiresAt: undefined })
    await credentials.close()
  })
  after(async () => {
    await world.stop()
    await server.end()
  })

  async function copy(): Promise<string> {
    let text = ''
    const write = (piece: string) => {
      text += piece
    }
    const dependencies = { write, tell: () => {}, environment: {}, clock: world.clock }
    const config = join(world.directory, 'bridge.yaml')
    const words = ['copy', '--from', `sqlite:${file}`, '--config', config]
    await storeCommand(dependencies).parseAsync(words, { from: 'user' })
    return text
  }

  test('is refused while a bridge has the source', async () => {
    const surroundings = { clock: world.clock, log: createLog('silent'), sealer: plainSealer }
    await assert.rejects(
      copyStore({ kind: 'sqlite', file }, location, surroundings, () => {}),
      /is in use by process/,
    )
  })

  test('goes on after an interruption, compares everything, and the bridge serves the same from PostgreSQL', async () => {
    const before = await world.scim('dspace').get('/Users').expect(200)
    await world.restart(async () => {
      const surroundings = { clock: world.clock, log: createLog('silent'), sealer: plainSealer }
      const source = await openStore({ kind: 'sqlite', file }, surroundings)
      await eraseUser(source, world.clock, 'dspace', leaver)
      await source.close()
      const pulled = new Error('the plug was pulled')
      await assert.rejects(
        copyStore({ kind: 'sqlite', file }, location, surroundings, (table) => {
          if (table === 'audit') throw pulled
        }),
        pulled,
      )
      // Users are there by now, and neither their accounts nor what is still to be done for them.
      await assert.rejects(
        openPostgres(location, surroundings),
        /copied in part only: run scim-bridge store copy again/,
      )
      const path = join(world.directory, 'bridge.yaml')
      const config = parse(readFileSync(path, 'utf8'))
      writeFileSync(path, stringify({ ...config, store: postgresStore(location) }))
      const first = await copy()
      assert.match(first, /^resource: 12 rows, sha256 [0-9a-f]{64}$/m)
      assert.match(first, /^token: 1 rows, sha256 [0-9a-f]{64}$/m)
      assert.equal(await copy(), first, 'again, nothing is different')
    })
    const scim = world.scim('dspace')
    assert.deepEqual((await scim.get('/Users').expect(200)).body, before.body)
    const headers = { Authorization: `Bearer ${token}` }
    assert.equal((await fetch(`${world.url}/dspace/scim/v2/Users`, { headers })).status, 200)
    await scim.patch(`/Users/${ids[0]}`, [{ op: 'replace', path: 'name.givenName', value: 'Grace' }]).expect(200)
    const store = await openPostgres(location, { clock: world.clock, log: createLog('silent') })
    const { fault, erased } = await store.verifyAudit('dspace')
    assert.equal(fault, undefined)
    assert.ok(erased > 0, 'lines that a person was erased from are followed there, too')
    await store.close()
    const now = world.clock.now()
    const credentials = await openCredentialsOf(location, { log: createLog('silent'), now })
    const next = { connection: 'dspace', name: 'next', role: 'read', sha256: 'x', createdAt: now } as const
    await credentials.addToken({ ...next, expiresAt: undefined })
    assert.equal((await credentials.tokens()).size, 2)
    await credentials.close()
  })

  test('is refused while a bridge runs on the target, and into a database that holds something else', async () => {
    const surroundings = { clock: world.clock, log: createLog('silent'), sealer: plainSealer }
    const from = { kind: 'sqlite', file } as const
    assert.ok(credentialFile(file).endsWith('bridge-credentials.sqlite'))
    await assert.rejects(
      copyStore(from, location, surroundings, () => {}),
      /a bridge is running on the target/,
    )
    const other = server.location()
    const store = await openPostgres(other, surroundings)
    await store.transaction((write) => write.keepSecret('dspace', 'cursor', 'of somebody else'))
    await store.close()
    await assert.rejects(
      copyStore(from, other, surroundings, () => {}),
      /the table secret of the target holds something else/,
    )
    // It is what it was, for the bridges that it belongs to.
    await (await openPostgres(other, surroundings)).close()
  })
})
