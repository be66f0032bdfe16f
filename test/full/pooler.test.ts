/** The store behind PgBouncer, where each transaction may have another connection to the server. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { openPostgresCredentials } from '../../src/store/postgres-credentials.ts'
import { rekeyPostgres } from '../../src/store/rekey-postgres.ts'
import { createSealer, newKey, plainSealer } from '../../src/store/sealing.ts'
import { eventually } from '../eventually.ts'
import { freePort, type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { anAuditEntry } from '../store/builders.ts'
import { storeContract } from '../store/contract.ts'
import { auditContract } from '../store/contract-audit.ts'
import { consoleContract } from '../store/contract-console.ts'
import { erasureContract } from '../store/contract-erasure.ts'
import { fill, keysOf, told } from '../store/rekey-world.ts'

const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((file) => existsSync(file))
const missing = 'no pgbouncer was found: install it (Debian: apt-get install pgbouncer)'
if (program === undefined && process.env.REQUIRE_PGBOUNCER === '1') throw new Error(missing)
const skip = program === undefined ? missing : skipPostgres
const log = createLog('silent')
/** Their users are told to PgBouncer before they are made. */
const mostStores = 500
type Context = { after(close: () => Promise<void>): void }

describe('PostgreSQL behind PgBouncer, transaction by transaction', { skip }, () => {
  let server: PostgresServer
  let folder: string
  let child: ChildProcess
  let port: number
  let stores = 0
  before(async () => {
    server = await startPostgres()
    folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
    chmodSync(folder, 0o755)
    port = await freePort()
    const direct = server.location()
    const password = direct.password?.()
    const names = ['bridge', ...Array.from({ length: mostStores }, (_, index) => `store_${index + 1}`)]
    writeFileSync(join(folder, 'users.txt'), names.map((name) => `"${name}" "${password}"\n`).join(''))
    const settings = [
      ...['[databases]', `* = host=127.0.0.1 port=${direct.port}`, '[pgbouncer]', 'listen_addr = 127.0.0.1'],
      ...[`listen_port = ${port}`, 'auth_type = plain', `auth_file = ${join(folder, 'users.txt')}`],
      ...['unix_socket_dir =', 'pool_mode = transaction', 'default_pool_size = 4', 'server_idle_timeout = 1'],
      // docs/store.md
      'ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout,options',
    ]
    writeFileSync(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`)
    const user = process.getuid?.() === 0 ? { uid: Number(execFileSync('id', ['-u', 'nobody'])) } : {}
    child = spawn(program ?? '', [join(folder, 'pgbouncer.ini')], { ...user, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (piece) => {
        said += piece
        if (said.includes('process up')) resolve()
      })
      child.once('exit', () => reject(new Error(`PgBouncer did not start: ${said}`)))
    })
  })
  after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await server.end()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A user with an empty schema, as docs/store.md says it for a pooler. */
  async function aLocation(): Promise<PostgresLocation> {
    stores += 1
    const name = `store_${stores}`
    const direct = server.location({ schema: 'public' })
    await server.execute(
      direct,
      `create role ${name} login password '${direct.password?.()}'; create schema ${name} authorization ${name};
        alter role ${name} set search_path = ${name}; alter role ${name} set statement_timeout = '10s';
        alter role ${name} set lock_timeout = '10s'; alter role ${name} set idle_in_transaction_session_timeout = '15s'`,
    )
    return { ...direct, user: name, schema: undefined, port }
  }
  async function open(t: Context, location: PostgresLocation, sealer = plainSealer) {
    const store = await openPostgres(location, { clock: systemClock, log, sealer })
    t.after(() => store.close())
    return store
  }
  const opened = async (t: Context) => open(t, await aLocation())

  storeContract('the store', opened)
  erasureContract('the store, forgetting', opened)
  consoleContract("the store, for the operator's pages", opened)
  auditContract('the audit', async (t) => {
    const location = await aLocation()
    const direct = server.location({ schema: location.user })
    return { store: await open(t, location), change: (text) => server.execute(direct, text) }
  })

  test('processes that start and write at once share one chain of audit lines', async (t) => {
    const location = await aLocation()
    const stores = await Promise.all([1, 2, 3].map(() => open(t, location)))
    const lines = Array.from({ length: 60 }, (_, index) =>
      stores[index % 3]?.transaction((write) => write.appendAudit('okta', anAuditEntry())),
    )
    await Promise.all(lines)
    assert.deepEqual(await stores[0]?.verifyAudit('okta'), {
      rows: 60,
      erased: 0,
      brokenAt: undefined,
      fault: undefined,
    })
  })

  test('tokens are kept, and the store is encrypted in place', async (t) => {
    const location = await aLocation()
    const credentials = await openPostgresCredentials(location, { log, now: 1 })
    t.after(() => credentials.close())
    const token = { connection: 'okta', name: 'one', role: 'read', sha256: 'x', createdAt: 1 } as const
    await credentials.addToken({ ...token, expiresAt: undefined })
    assert.equal((await credentials.tokens()).size, 1)
    const store = await open(t, location)
    await fill(store)
    const before = await told(store)
    await store.close()
    const sealer = createSealer(newKey())
    await rekeyPostgres(location, { clock: systemClock, log, to: sealer, known: [plainSealer], keysOf })
    assert.deepEqual(await told(await open(t, location, sealer)), before)
  })

  test('a schema that the pooler keeps from the server is missed at the start, and used when the role names it', async (t) => {
    const location = { ...(await aLocation()), schema: 'other' }
    const change = (text: string) => server.execute(server.location({ schema: 'public' }), text)
    await change(`grant create on database postgres to ${location.user}`)
    await assert.rejects(open(t, location), (error) => {
      assert.ok(error instanceof StoreRefused)
      const role = `alter role ${location.user} set search_path = other`
      assert.match(
        error.message,
        new RegExp(`the schema other is not used, though store\\.schema names it: .*${role}$`),
      )
      return true
    })
    await change(`alter role ${location.user} set search_path = other`)
    // Connections of before have the old one, until the pooler gives them up.
    await change(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${location.user}'`)
    await eventually('new connections', () =>
      open(t, location).then(
        () => true,
        () => false,
      ),
    )
    const { rows } = await change("select 1 from pg_tables where schemaname = 'other' and tablename = 'resource'")
    assert.equal(rows.length, 1)
  })
})
