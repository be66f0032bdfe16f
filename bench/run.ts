/**
 * `npm run bench [-- --users 1000,100000 --store sqlite,postgres --rounds 5 --json FILE --check --only get,patch --profile DIR]`: CPU milliseconds (user + system) of the
 * bridge's process per request, commits durable as shipped, the platform a process of its own without latency. A bare
 * Express echo and the SCIM library as it comes are measured in the same run: on a noisy machine the ratio says more than
 * the figure. `--check` compares the ratios with the figures that are checked in, and fails when something became dearer.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/postgres-server.ts'
import { measureBlocking } from './blocking.ts'
import { bridgeCases, type Case, stockCases } from './cases.ts'
import { disconnect, sendMany, sendWell } from './client.ts'
import { type Figure, type Figures, judge, type Least, regressions, type Size, type StoreKind } from './figures.ts'
import { measureLeast } from './least/measure.ts'
import { fileOf, startMeasured } from './measured.ts'
import { cpuPerRequest, type Echo, measureRounds, median, medians } from './rounds.ts'
import { toMarkdown } from './table.ts'
import { startWorld, type World } from './world.ts'

const checkedIn = fileOf('./figures.json')
const page = fileOf('../docs/performance.md')
const stockUsers = 1_000
const stockMembers = 10_000

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000,100000,1000000' },
    store: { type: 'string', default: 'sqlite' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    /** Writes the figures that later runs are compared with, and the page that shows them. */
    keep: { type: 'boolean', default: false },
    profile: { type: 'string' },
    port: { type: 'string', default: '18080' },
  },
})
const rounds = Number(values.rounds)
const only = values.only?.split(',')
const isWanted = ({ id }: Case) => only === undefined || only.includes(id)
const log = (text: string) => console.error(`bench: ${text}`)

const figures: Figure[] = []
const sizes: Size[] = []
const echoes: number[] = []
const least: Least[] = []
let stock: readonly Stock[] = []

interface Stock {
  readonly id: string
  readonly what: string
  readonly cpuMs: number
}

const stores = values.store.split(',').map(storeKind)
const postgres = stores.includes('postgres') ? await startPostgres({ isDurable: true }) : undefined
try {
  for (const [store, users] of stores.flatMap((store) =>
    values.users.split(',').map((users) => [store, Number(users)] as const),
  )) {
    const world = await startWorld({
      users,
      port: Number(values.port),
      log,
      ...(store === 'postgres' && postgres !== undefined ? { postgres } : {}),
    })
    try {
      const bytes = await sizeOfUser(world)
      log(
        `${store}, ${users.toLocaleString('en')} users: ready after ${Math.round(world.startMs)} ms; a user has ${bytes} bytes`,
      )
      const echo = await startEcho(bytes)
      if (stock.length === 0) stock = await measureStock()
      if (least.every((one) => one.store !== store)) {
        least.push(...(await measureLeast({ echo, bytes, rounds }, store === 'postgres' ? postgres : undefined)))
      }
      await measureSize(store, world, echo)
      await echo.measured.end()
    } finally {
      await world.end()
    }
    write(found())
  }
} finally {
  await postgres?.end()
}
disconnect()
print(found())
if (values.check) check(found())

function storeKind(name: string): StoreKind {
  if (name !== 'sqlite' && name !== 'postgres') throw new Error('--store takes sqlite, postgres, or both')
  return name
}

function found(): Figures {
  return { node: process.version, echoMs: median(echoes), least, stock, sizes, figures }
}

/** After each size: the largest takes long, and what is known so far is worth having. */
function write(all: Figures): void {
  const text = toJson(all)
  if (values.json !== undefined) writeFileSync(values.json, text)
  if (!values.keep) return
  writeFileSync(checkedIn, text)
  // From the text: the page shows what is checked in, to the last digit.
  writeFileSync(page, toMarkdown(readFileSync(page, 'utf8'), JSON.parse(text)))
}

async function sizeOfUser({ scim, token, ids }: World): Promise<number> {
  const user = await sendWell({ url: `${scim}/Users/${ids[0]}`, token })
  return Buffer.byteLength(JSON.stringify(user))
}

async function startEcho(bytes: number): Promise<Echo> {
  const measured = startMeasured([fileOf('./echo.ts'), String(bytes)])
  const url = await measured.firstLine()
  await sendMany(5_000, () => ({ url, token: '' }))
  return { measured, url }
}

async function measureStock(): Promise<readonly Stock[]> {
  const measured = startMeasured([fileOf('./stock/server.ts'), String(stockUsers), String(stockMembers)])
  const url = await measured.firstLine()
  const results: Stock[] = []
  for (const { id, what, requests, warmUp, next } of stockCases(url, stockUsers, stockMembers).filter(isWanted)) {
    await sendMany(warmUp, next)
    results.push({ id, what, cpuMs: await cpuPerRequest(measured, requests, next) })
  }
  await measured.end()
  return results
}

async function measureSize(store: StoreKind, world: World, echo: Echo): Promise<void> {
  const { users, bridge, startMs } = world
  const cases = (await bridgeCases(world)).filter(isWanted)
  const results = await measureRounds(bridge, cases, echo, rounds)
  for (const { id, what } of cases) {
    const found = results.get(id) ?? []
    const { cpuMs, timesEcho } = medians(found)
    const ofStock = stock.find((one) => one.id === id)?.cpuMs
    figures.push({ store, users, id, what, cpuMs, timesEcho, cheaperThanStock: ofStock && ofStock / cpuMs })
    echoes.push(...found.map((round) => round.echoMs))
    log(
      `${store}, ${users.toLocaleString('en')} users: ${what}: ${cpuMs.toFixed(3)} ms, ${timesEcho.toFixed(1)} × echo`,
    )
  }
  const { rssBytes } = await bridge.ask({ ask: 'reading' })
  const blocked = only === undefined ? await measureBlocking(world) : []
  sizes.push({ store, users, startMs, rssMb: rssBytes / 1e6, blocked })
  if (values.profile !== undefined) await profile(world, cases, values.profile)
}

/** One CPU profile for each kind of request; `.cpuprofile` files open in the developer tools of browsers. */
async function profile({ bridge, users }: World, cases: readonly Case[], directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  for (const { id, requests, next } of cases) {
    await bridge.ask({ ask: 'profile' })
    await sendMany(requests * 2, next)
    await bridge.ask({ ask: 'profiled', file: join(directory, `${id}-${users}.cpuprofile`) })
  }
}

function print(all: Figures): void {
  console.log(`Node ${all.node}, bare Express echo ${all.echoMs.toFixed(3)} ms`)
  console.table(
    all.figures.map(({ store, users, what, cpuMs, timesEcho, cheaperThanStock }) => ({
      store,
      users,
      what,
      'CPU ms': Number(cpuMs.toFixed(3)),
      '× echo': Number(timesEcho.toFixed(1)),
      'stock ÷': cheaperThanStock && Number(cheaperThanStock.toFixed(1)),
    })),
  )
  console.table(
    all.least.map(({ store, what, cpuMs, timesEcho }) => ({
      store,
      'the least that could answer': what,
      'CPU ms': Number(cpuMs.toFixed(3)),
      '× echo': Number(timesEcho.toFixed(1)),
    })),
  )
  console.table(
    all.sizes.map(({ store, users, startMs, rssMb, blocked }) => ({
      store,
      users,
      'start ms': Math.round(startMs),
      'RSS MB': Math.round(rssMb),
      ...Object.fromEntries(blocked.map(({ what, ms }) => [what, Math.round(ms)])),
    })),
  )
  console.table(
    judge(all).map(({ what, limit, worst, isMet }) => ({
      target: what,
      limit,
      worst: Number(worst.toFixed(2)),
      met: isMet,
    })),
  )
}

function check(now: Figures): void {
  const before: Figures = JSON.parse(readFileSync(checkedIn, 'utf8'))
  const worse = regressions(before, now)
  for (const line of worse) console.error(`dearer than the figures in bench/figures.json: ${line}`)
  if (worse.length > 0) process.exitCode = 1
}

function toJson(all: Figures): string {
  const rounded = (_name: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)
  return `${JSON.stringify(all, rounded, 2)}\n`
}
