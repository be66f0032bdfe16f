import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { asStoreError, StoreRefused } from '../../src/store/failures.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { openPostgresCredentials } from '../../src/store/postgres-credentials.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { aUser } from './builders.ts'

const pem = (name: string) => fileURLToPath(new URL(`../tls/${name}`, import.meta.url))
const log = createLog('silent')
/** For the name localhost and the address 127.0.0.1. */
const tls = { certificate: pem('first.pem'), key: pem('first.key.pem') }

describe('PostgreSQL over TLS', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres({ tls })
  })
  after(() => server.end())

  const open = (location: PostgresLocation) => openPostgres(location, { clock: systemClock, log })

  async function assertRefused(location: PostgresLocation, message: RegExp): Promise<void> {
    await assert.rejects(open(location), (error) => {
      assert.ok(error instanceof StoreRefused)
      assert.match(error.message, message)
      return true
    })
  }

  for (const host of ['localhost', '127.0.0.1']) {
    test(`with the authority's certificate it is spoken to as ${host}, encrypted, by the store and for tokens`, async (t) => {
      const location = server.location({ host, tls: { ca: pem('authority.pem') } })
      const store = await open(location)
      t.after(() => store.close())
      await store.transaction((write) => write.insertResource('okta', aUser('ada')))
      assert.ok(await store.getUser('okta', 'ada'))
      const credentials = await openPostgresCredentials(location, { log, now: 1 })
      t.after(() => credentials.close())
      assert.equal((await credentials.tokens()).size, 0)
      const { rows } = await server.execute(
        location,
        `select bool_and(ssl) as is_encrypted, count(*)::int as count from pg_stat_ssl join pg_stat_activity using (pid)
          where application_name = 'scim-bridge'`,
      )
      assert.ok(rows[0]?.is_encrypted === true && rows[0]?.count >= 2, JSON.stringify(rows))
    })
  }

  test('an authority that the system does not know is refused, and which setting names it', async () => {
    await assertRefused(
      server.location({ tls: {} }),
      /: nobody who is trusted has signed the server's certificate: name the file .* as store\.tls\.ca$/,
    )
  })

  test('another authority than the one that has signed is refused', () =>
    assertRefused(server.location({ tls: { ca: pem('second.pem') } }), /: nobody who is trusted has signed/))

  test('a certificate for another name or address is refused, whoever has signed it', async () => {
    const location = server.location({ host: '127.0.0.2', tls: { ca: pem('authority.pem') } })
    await assertRefused(
      location,
      /127\.0\.0\.2 .*: the server's certificate is for another name: write the name that is in it/,
    )
  })

  test('a server that takes encrypted connections only says so to a bridge that would speak in clear', async () => {
    await assertRefused(
      server.location({ tls: undefined }),
      /: the server takes encrypted connections only: leave tls: off out/,
    )
  })

  test('a file that is none is named', async (t) => {
    await assertRefused(server.location({ tls: { ca: '/nowhere.pem' } }), /store\.tls: \/nowhere\.pem cannot be read/)
    const folder = mkdtempSync(join(tmpdir(), 'authority-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const broken = join(folder, 'broken.pem')
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n')
    await assertRefused(server.location({ tls: { ca: broken } }), /check the files of store\.tls|name the file/)
  })

  test('a certificate that has become wrong while the bridge runs is answered as an absence that an operator mends', () => {
    const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
    const failure = asStoreError(expired)
    assert.ok(failure instanceof StoreUnavailable)
    assert.match(failure.message, /the server's certificate has expired/)
  })
})

describe('PostgreSQL without TLS', { skip: skipPostgres }, () => {
  test('is refused where TLS is asked for: nothing is sent in clear', async (t: TestContext) => {
    const server = await startPostgres()
    t.after(() => server.end())
    const opening = openPostgres(server.location({ tls: { ca: pem('authority.pem') } }), { clock: systemClock, log })
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof StoreRefused)
      assert.match(
        error.message,
        /: the server offers no TLS: switch it on there \(ssl = on\), or write tls: off in store/,
      )
      return true
    })
  })
})
