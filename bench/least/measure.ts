/** What no answer can cost less than, as each store has it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresServer } from '../../test/postgres-server.ts'
import { sendMany } from '../client.ts'
import type { Least } from '../figures.ts'
import { fileOf, startMeasured } from '../measured.ts'
import { cpuPerRequest, type Echo, median } from '../rounds.ts'
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
    const next = (id: string) => (n: number) => ({ url: `${url}/${id}/${(n * 7) % documents}`, token: '' })
    for (const { id, requests } of kinds) await sendMany(requests, next(id))
    const found = new Map<string, { cpuMs: number; timesEcho: number }[]>(kinds.map(({ id }) => [id, []]))
    for (let round = 0; round < rounds; round += 1) {
      const echoMs = await cpuPerRequest(echo.measured, kinds[0].requests, () => ({ url: echo.url, token: '' }))
      for (const { id, requests } of kinds) {
        const cpuMs = await cpuPerRequest(measured, requests, next(id))
        found.get(id)?.push({ cpuMs, timesEcho: cpuMs / echoMs })
      }
    }
    return kinds.map(({ id, what }) => ({
      store: postgres === undefined ? 'sqlite' : 'postgres',
      id,
      what,
      cpuMs: median((found.get(id) ?? []).map((one) => one.cpuMs)),
      timesEcho: median((found.get(id) ?? []).map((one) => one.timesEcho)),
    }))
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
