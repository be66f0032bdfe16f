/** A real PostgreSQL for tests, started from the server's own programs, on this machine's loopback, without flushing to the disk. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import type { PostgresLocation } from '../src/store/location.ts'

const password = 'of-the-tests-only'

/** Where programs may be: the path's folders, then where distributions put the server's, newest first. */
function programFolders(): readonly string[] {
  const installed = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin'].flatMap((pattern) => globSync(pattern))
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...installed.sort().reverse()]
  return folders.filter((folder) => folder !== '')
}

function programs(): string | undefined {
  return programFolders().find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}

/** `pg_dump` and the like. */
export function postgresProgram(name: string): string {
  const found = programFolders().find((folder) => existsSync(join(folder, name)))
  if (found === undefined) throw new Error(`${name} was not found: install PostgreSQL's programs`)
  return join(found, name)
}

const isRequired = process.env.REQUIRE_POSTGRES === '1'

/** Why tests on PostgreSQL cannot run here; false: they run. In continuous integration they have to. */
export const skipPostgres: string | false =
  programs() !== undefined || isRequired
    ? false
    : 'no PostgreSQL server program (initdb, postgres) was found: install one'

export interface PostgresServer {
  /** An empty schema of its own. */
  location(change?: Partial<PostgresLocation>): PostgresLocation
  /** To that schema, for statements by hand. */
  connect(location: PostgresLocation): Promise<pg.Client>
  /** Statements by hand, in that schema. */
  execute(location: PostgresLocation, statements: string): Promise<pg.QueryResult>
  /** As the machine would lose it. */
  stop(): Promise<void>
  start(): Promise<void>
  /** The server and all its processes stand still, or go on. */
  freeze(): void
  thaw(): void
  end(): Promise<void>
}

/** PostgreSQL does not run as root: then another user's process it is. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export interface PostgresOptions {
  /** PEM files: it offers TLS, and takes nothing else over TCP. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** It flushes to the disk. */
  readonly isDurable?: boolean
}

export async function startPostgres({ tls, isDurable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = programs()
  if (bin === undefined) throw new Error('no PostgreSQL server program (initdb, postgres) was found: install one')
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const user = owner()
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  const environment = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' }
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'bridge', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-N', '-E', 'UTF8'],
    { ...user, env: environment, stdio: 'pipe', cwd: folder },
  )
  if (tls !== undefined) {
    const [certificate, key] = [join(data, 'server.crt'), join(data, 'server.key')]
    copyFileSync(tls.certificate, certificate)
    copyFileSync(tls.key, key)
    for (const file of [certificate, key]) {
      if (user.uid !== undefined && user.gid !== undefined) chownSync(file, user.uid, user.gid)
      chmodSync(file, 0o600)
    }
    appendFileSync(join(data, 'postgresql.conf'), 'ssl = on\n')
    writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n')
  }
  const port = await freePort()
  let child: ChildProcess
  const start = async () => {
    const flags = [
      '-D',
      data,
      '-h',
      '127.0.0.1,127.0.0.2',
      '-p',
      String(port),
      '-k',
      folder,
      ...(isDurable ? [] : ['-F']),
      '-c',
      'shared_buffers=32MB',
    ]
    child = spawn(join(bin, 'postgres'), flags, {
      ...user,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
    })
    const { stderr } = child
    if (stderr === null) throw new Error('no output')
    let said = ''
    await new Promise<void>((resolve, reject) => {
      stderr.on('data', (chunk) => {
        if (said.length > 100_000) return
        said += String(chunk)
        if (said.includes('ready to accept connections')) resolve()
      })
      child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)))
    })
  }
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // Immediate shutdown: nothing is written any more, the next start recovers.
    child.kill('SIGQUIT')
    await ended
  }
  const family = () => {
    const { pid = 0 } = child
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    return [
      pid,
      ...children
        .split('\n')
        .map(Number)
        .filter((id) => id > 0),
    ]
  }
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of family()) {
      try {
        process.kill(pid, name)
      } catch (error) {
        // Its workers come and go, and `ps` was one of the processes that it has listed.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
      }
    }
  }
  process.once('exit', () => child.kill('SIGQUIT'))
  await start()
  let schemas = 0
  const connect = async ({ host, port, user, database, schema }: PostgresLocation) => {
    const options = `-c search_path=${schema}`
    const ssl = tls === undefined ? false : { rejectUnauthorized: false }
    const client = new pg.Client({ host, port, user, database, password, options, ssl })
    await client.connect()
    return client
  }
  return {
    location(change = {}) {
      schemas += 1
      const where = { host: '127.0.0.1', port, user: 'bridge', database: 'postgres', password: () => password }
      const bounds = { connections: 6, statementMs: 10_000 }
      return { kind: 'postgres', ...where, ...bounds, tls: undefined, schema: `test_${schemas}`, ...change }
    },
    connect,
    async execute(location, statements) {
      const client = await connect(location)
      try {
        return await client.query(statements)
      } finally {
        await client.end()
      }
    },
    start,
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async end() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whether somebody on the server waits for an advisory lock. */
export async function isLockAwaited(server: PostgresServer, location: PostgresLocation): Promise<boolean> {
  const { rows } = await server.execute(location, "select 1 from pg_locks where locktype = 'advisory' and not granted")
  return rows.length > 0
}

/** The same place, as `bridge.yaml` says it. */
export function postgresStore({ host, port, user, database, schema, connections, statementMs }: PostgresLocation) {
  const url = `postgres://${user}@${host}:${port}/${database}`
  return {
    url,
    password,
    connections,
    statementSeconds: statementMs / 1_000,
    ...(schema === undefined ? {} : { schema }),
  }
}
