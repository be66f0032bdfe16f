/** A bridge as shipped with so many users in its store, and the platform behind it: each a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../src/bridge.ts'
import { reservePort } from '../src/cli/bridge-process.ts'
import { demoConfig, newDemoToken } from '../src/cli/demo-config.ts'
import { seedUsers } from '../src/cli/seed.ts'
import { systemClock } from '../src/clock.ts'
import { createLog } from '../src/log.ts'
import { bulkLoad } from '../src/store/bulk.ts'
import { copyStore } from '../src/store/copy-store.ts'
import { openStore } from '../src/store/open.ts'
import { createSealer, plainSealer, type Sealer } from '../src/store/sealing.ts'
import { type PostgresServer, postgresStore } from '../test/postgres-server.ts'
import { storeRows } from '../test/store-rows.ts'
import { send, sendWell } from './client.ts'
import { fileOf, type Measured, startMeasured } from './measured.ts'

/** People whose accounts exist on the platform; the others are only read. */
const mostAccounts = 1_000

export interface World {
  readonly users: number
  /** Base of SCIM, without a slash at the end. */
  readonly scim: string
  readonly token: string
  /** Of the platform's simulator: where its faults are set. */
  readonly control: string
  readonly bridge: Measured
  /** SCIM ids of people who have an account, spread over the whole store. */
  readonly ids: readonly string[]
  /** From the start of the process to the first good answer of `/readyz`, in milliseconds. */
  readonly startMs: number
  /** What the bridge has not applied: how many operations of which state, and what their last attempt ended with. */
  unfinished(): Promise<readonly string[]>
  end(): Promise<void>
}

export interface WorldOptions {
  readonly users: number
  readonly port: number
  readonly log: (text: string) => void
  /** The store is encrypted with it. */
  readonly storeKey?: string
  /** The store is a schema of its own there. */
  readonly postgres?: PostgresServer
}

export async function startWorld({ users, port, log, storeKey, postgres }: WorldOptions): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'scim-bridge-bench-'))
  const distance = Math.max(1, Math.ceil(users / mostAccounts))
  const platform = startMeasured([fileOf('./platform.ts'), String(users), String(distance)])
  const { baseUrl, controlUrl, credentials, accountIds } = JSON.parse(await platform.firstLine())
  log(`${users.toLocaleString('en')} users: filling the store`)
  const sealer = storeKey === undefined ? plainSealer : createSealer(storeKey)
  const filled = join(directory, 'bridge.sqlite')
  const ids = await fillStore(filled, { users, distance, accountIds, sealer })
  const location = postgres?.location()
  if (location !== undefined) {
    log(`${users.toLocaleString('en')} users: copying the store to PostgreSQL`)
    const from = { kind: 'sqlite', file: filled } as const
    await copyStore(from, location, { clock: systemClock, log: createLog('silent'), sealer }, () => {})
  }
  const token = newDemoToken()
  const file = join(directory, 'bridge.yaml')
  const connections = [{ platform: 'figshare' as const, token, baseUrl, credentials }]
  const config = demoConfig({ port, sharedToken: undefined, mappings: builtInMappings, connections })
  const changed = {
    ...(storeKey === undefined ? {} : { encryption: { key: storeKey } }),
    ...(location === undefined ? {} : { store: postgresStore(location) }),
  }
  writeFileSync(file, stringify({ ...parse(config), ...changed }), { mode: 0o600 })
  // Asserts that the port is free: another program's answers would pass for the bridge's.
  await (await reservePort(port))()
  const startedAt = performance.now()
  const bridge = startMeasured([fileOf('../src/main.ts'), 'serve', '--config', file])
  await untilReady(`http://127.0.0.1:${port}/readyz`, bridge)
  const startMs = performance.now() - startedAt
  return {
    users,
    scim: `http://127.0.0.1:${port}/figshare/scim/v2`,
    token,
    control: controlUrl,
    bridge,
    ids,
    startMs,
    unfinished: async () =>
      postgres === undefined || location === undefined
        ? inWords(storeRows(directory, unfinishedQuery))
        : inWords((await postgres.execute(location, unfinishedQuery)).rows),
    async end() {
      await bridge.end()
      await platform.end()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const unfinishedQuery = `
  select count(*) as count, state, kind, error_kind as error, max(attempts) as attempts
  from operation group by state, kind, error_kind order by 1 desc`

function inWords(rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return rows.map(({ count, state, kind, error, attempts }) => {
    const after = error === null ? 'not attempted' : `${error} after up to ${attempts} attempts`
    return `${count} ${state}, ${kind}: ${after}`
  })
}

interface Filling {
  readonly users: number
  readonly distance: number
  readonly accountIds: readonly number[]
  readonly sealer: Sealer
}

/** Answers the ids of those who have an account. */
async function fillStore(file: string, { users, distance, accountIds, sealer }: Filling): Promise<readonly string[]> {
  const highest = accountIds.at(-1) ?? 0
  // Accounts that nobody asks for need not exist; their ids only have to be different.
  const linked = Array.from({ length: users }, (_, index) =>
    index % distance === 0 ? (accountIds[index / distance] ?? 0) : highest + 1_000_000 + index,
  )
  const ids: string[] = []
  const store = await openStore({ kind: 'sqlite', file }, { clock: systemClock, log: createLog('silent'), sealer })
  try {
    const now = new Date(systemClock.now()).toISOString()
    // All of the indexes' pages: what is inserted comes in no order, and reading them back for each row takes minutes.
    await store.withDatabase((database) => database.exec('pragma cache_size = -2000000'))
    let index = 0
    const noted = function* () {
      for (const row of seedUsers('figshare', linked, now)) {
        if (index % distance === 0) ids.push(row.resource.id)
        index += 1
        yield row
      }
    }
    await bulkLoad(store, 'figshare', noted())
  } finally {
    await store.close()
  }
  return ids
}

const pollMs = 5
const readyWithinMs = 300_000

export async function untilReady(url: string, bridge: Measured): Promise<void> {
  const endsAt = performance.now() + readyWithinMs
  while (performance.now() < endsAt) {
    if (bridge.child.exitCode !== null) throw new Error('the bridge did not start; see with BENCH_STDERR=1')
    const answer = await send({ url, token: '' }).catch(() => undefined)
    if (answer?.status === 200) return
    await systemClock.sleep(pollMs)
  }
  throw new Error('the bridge did not become ready')
}

/**
 * A group that gives nothing on the platform. Its members are people of whom the other measurements ask nothing, where there are
 * enough of them: an answer about somebody who is in a group costs more. Answers its id.
 */
export async function createGroup(
  { scim, token, users, ids }: World,
  size: number,
  displayName = `group of ${size}`,
): Promise<string> {
  const asked = new Set(users > ids.length ? ids : [])
  const members: { value: string }[] = []
  let startIndex = Math.max(1, Math.min(Math.floor(users / 2), users - Math.ceil(size * 1.1)))
  while (members.length < size) {
    const query = `attributes=id&startIndex=${startIndex}&count=${Math.min(1_000, size)}`
    const { Resources } = await sendWell({ url: `${scim}/Users?${query}`, token })
    startIndex += Resources.length
    for (const { id } of Resources) if (!asked.has(id) && members.length < size) members.push({ value: id })
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  const body = { schemas, displayName, members }
  const group = await sendWell({ url: `${scim}/Groups`, token, method: 'POST', body })
  return group.id
}
