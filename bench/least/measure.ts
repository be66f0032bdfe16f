/** What no answer can cost less than, as each store has it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresServer } from '../../test/postgres-server.ts'
import type { Least } from '../figures.ts'
import { fileOf, startMeasured } from '../measured.ts'
import { type Echo, measureRounds, medians } from '../rounds.ts'
import type { LeastSettings } from './server.ts'

const documents = 1_000
const kinds = [
  { id: 'read', what: 'token, one row by its key, log line, answer', requests: 5_000 },
  { id: 'change', what: 'the same with two durable writes and a call between them', requests: 1_000 },
] as const

/** `postgres` undefined: in SQLite. The echo is the platform that is called. */
export async function measureLeast(
  { echo, bytes, rounds }: { echo: Echo; bytes: number; rounds: number },
  postgres: PostgresServer | undefined,
): Promise<readonly Least[]> {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-least-'))
  const file = join(folder, 'settings.json')
  const settings: LeastSettings = { folder, bytes, platform: echo.url, postgres: await poolOf(postgres) }
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const measured = startMeasured([fileOf('./least/server.ts'), file])
  try {
    const url = await measured.firstLine()
    const cases = kinds.map((kind) => ({
      ...kind,
      warmUp: kind.requests,
      next: (n: number) => ({ url: `${url}/${kind.id}/${(n * 7) % documents}`, token: '' }),
    }))
    const found = await measureRounds(measured, cases, echo, rounds)
    const store = postgres === undefined ? 'sqlite' : 'postgres'
    return kinds.map(({ id, what }) => ({ store, id, what, ...medians(found.get(id) ?? []) }))
  } finally {
    await measured.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function poolOf(server: PostgresServer | undefined): Promise<LeastSettings['postgres']> {
  if (server === undefined) return undefined
  const location = server.location()
  const { host, port, user, database, password, schema, connections } = location
  await server.execute(location, `create schema ${schema}`)
  return {
    host,
    port,
    user,
    database,
    password: password?.() ?? '',
    options: `-c search_path=${schema}`,
    max: connections,
  }
}
