/**
 * `node bench/encryption.ts [ROUNDS] [--profile DIR]`: what `encryption.key` costs over HTTP: CPU milliseconds of the bridge's
 * process a request, without a key and with one, in turns of the same run, and how many times as much it is.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { newKey } from '../src/store/sealing.ts'
import { bridgeCases, type Case } from './cases.ts'
import { disconnect, sendMany } from './client.ts'
import { cpuPerRequest, median } from './rounds.ts'
import { startWorld, type World } from './world.ts'

const users = 1_000
const wanted: ReadonlySet<string> = new Set(['get', 'equal', 'list100', 'post', 'patch', 'nothing'])

const { values, positionals } = parseArgs({ allowPositionals: true, options: { profile: { type: 'string' } } })
const rounds = Number(positionals[0] ?? 7)
const log = (text: string) => console.error(`bench: ${text}`)

interface Side {
  readonly world: World
  readonly cases: readonly Case[]
}

const plain = await started(18_083)
const sealed = await started(18_084, newKey())
try {
  const figures: { what: string; plain: number[]; sealed: number[] }[] = []
  for (const [index, { what, requests, next }] of plain.cases.entries()) {
    const other = sealed.cases[index]
    if (other === undefined) throw new Error(what)
    // The first requests pay for the compiler; they are not counted.
    await sendMany(requests, next)
    await sendMany(other.requests, other.next)
    const found = { what, plain: [] as number[], sealed: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      found.plain.push(await cpuPerRequest(plain.world.bridge, requests, next))
      found.sealed.push(await cpuPerRequest(sealed.world.bridge, requests, other.next))
    }
    figures.push(found)
    log(`${what}: ${times(found).toFixed(2)} ×`)
  }
  console.table(
    figures.map((found) => ({
      request: found.what,
      'without a key, ms': Number(median(found.plain).toFixed(3)),
      'with a key, ms': Number(median(found.sealed).toFixed(3)),
      times: Number(times(found).toFixed(2)),
    })),
  )
  if (values.profile !== undefined) await profile(values.profile)
} finally {
  await plain.world.end()
  await sealed.world.end()
  disconnect()
}

async function started(port: number, storeKey?: string): Promise<Side> {
  const world = await startWorld({ users, port, log, ...(storeKey === undefined ? {} : { storeKey }) })
  return { world, cases: (await bridgeCases(world)).filter(({ id }) => wanted.has(id)) }
}

/** Of each round, so that a busy minute of the machine falls on both. */
function times(found: { readonly plain: readonly number[]; readonly sealed: readonly number[] }): number {
  return median(found.sealed.map((cpuMs, round) => cpuMs / (found.plain[round] ?? cpuMs)))
}

async function profile(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  for (const [name, { world, cases }] of [
    ['plain', plain],
    ['sealed', sealed],
  ] as const) {
    for (const { id, requests, next } of cases) {
      await world.bridge.ask({ ask: 'profile' })
      await sendMany(requests * 2, next)
      await world.bridge.ask({ ask: 'profiled', file: join(directory, `${id}-${name}.cpuprofile`) })
    }
  }
}
