/**
 * `npm run soak [-- --minutes 10 --users 10000 --json FILE]`: mixed traffic for a long time while the platform has every
 * kind of fault by turns. At the end everything has to be healed, and the process as small as in the beginning: memory that
 * climbs, handles that stay, an answer that nobody can explain or an operation that is left fails the run.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { aPerson } from './cases.ts'
import { type Answer, disconnect, send, sendWell, type Wanted } from './client.ts'
import type { Reading } from './probe.ts'
import { median } from './rounds.ts'
import { startWorld, type World } from './world.ts'

/** By turns; `ok` between them, so that calls are taken up again. */
const faults = [
  { mode: 'slow', delayMs: 50 },
  { mode: '500', only: 'reads' },
  { mode: '429', retryAfter: '1' },
  { mode: 'lost', only: 'writes' },
  { mode: 'html' },
  { mode: 'reset-in-headers' },
  { mode: 'truncated' },
  { mode: '500-after', only: 'writes' },
  { mode: 'down' },
  { mode: '503' },
] as const
const faultMs = 3_000
const calmMs = 4_000
const callers = 8
/** Every so many requests one that was refused is pushed again. */
const repeatEvery = 3
/** What the caches, the compiler and the first faults take is no leak: the first quarter is not compared. */
const warmUp = 0.25
/** Of the heap after a collection, from the second quarter's median to the last one's. */
const mostGrowth = 1.15
const sampleMs = 5_000
const healedWithinMs = 120_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    users: { type: 'string', default: '10000' },
    json: { type: 'string' },
    port: { type: 'string', default: '18081' },
  },
})
const minutes = Number(values.minutes)
const log = (text: string) => console.error(`soak: ${text}`)

interface Sample extends Reading {
  readonly second: number
}

const world = await startWorld({ users: Number(values.users), port: Number(values.port), log })
const complaints: string[] = []
const samples: Sample[] = []
const statuses = new Map<string, number>()
try {
  const calm = await world.bridge.ask({ ask: 'collect' })
  const endsAt = performance.now() + minutes * 60_000
  const isOn = () => performance.now() < endsAt
  const [refused] = await Promise.all([
    Promise.all(Array.from({ length: callers }, (_, caller) => traffic(world, caller, isOn))),
    disturb(world, isOn),
    watch(world, isOn),
  ])
  await setFault(world, { mode: 'ok' })
  await Promise.all(refused.map((of) => settle(world, of)))
  await healed(world)
  disconnect()
  // Sockets to the platform and from the callers end by themselves when nobody uses them.
  await pause(10_000)
  const after = await world.bridge.ask({ ask: 'collect' })
  judge(calm, after)
  print(calm, after)
} finally {
  await world.end()
}
if (complaints.length > 0) {
  for (const complaint of complaints) console.error(`soak: ${complaint}`)
  process.exitCode = 1
}

/** Changes that were not taken: an identity provider pushes them again until they are. */
type Refused = Wanted[]

async function traffic(on: World, caller: number, isOn: () => boolean): Promise<Refused> {
  const refused: Refused = []
  for (let n = 0; isOn(); n += 1) {
    const repeated = n % repeatEvery === 0 ? refused.shift() : undefined
    await push(on, repeated ?? nextRequest(on, caller, n), refused, repeated !== undefined)
  }
  return refused
}

async function push(on: World, wanted: Wanted, refused: Refused, isRepeated = false): Promise<void> {
  const answer = await send(wanted)
  note(wanted, answer, isRepeated)
  if (wanted.method !== undefined && (answer.status === 429 || answer.status === 500)) refused.push(wanted)
  // Who was made is deleted again: the store stays as large as it is.
  if (wanted.method !== 'POST') return
  const id = answer.status === 201 ? JSON.parse(answer.text).id : answer.status === 409 ? await idOf(on, wanted) : ''
  if (id !== '') await push(on, { url: `${on.scim}/Users/${id}`, token: on.token, method: 'DELETE' }, refused)
}

/** A create that was finished after its answer: the identity provider looks for the person and goes on with who is there. */
async function idOf({ scim, token }: World, { body }: Wanted): Promise<string> {
  const filter = encodeURIComponent(`userName eq "${(body as ReturnType<typeof aPerson>).userName}"`)
  const { Resources } = await sendWell({ url: `${scim}/Users?filter=${filter}&attributes=id`, token })
  return Resources[0]?.id ?? ''
}

/** The platform is well again: what was refused is pushed until it is taken. */
async function settle(on: World, refused: Refused): Promise<void> {
  const endsAt = performance.now() + healedWithinMs
  while (refused.length > 0 && performance.now() < endsAt) {
    for (const wanted of refused.splice(0)) await push(on, wanted, refused, true)
    if (refused.length > 0) await pause(1_000)
  }
  if (refused.length > 0) complaints.push(`${refused.length} changes were still refused by a platform that was well`)
}

function nextRequest({ scim, token, ids, users }: World, caller: number, n: number): Wanted {
  const id = ids[(n * callers + caller) % ids.length] ?? ''
  const patch = (operation: object): Wanted => ({
    url: `${scim}/Users/${id}`,
    token,
    method: 'PATCH',
    body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'replace', ...operation }] },
  })
  switch (n % 10) {
    case 0:
      return { url: `${scim}/Users`, token, method: 'POST', body: aPerson(`soak-${caller}-${n}@example.org`) }
    case 1:
      return patch({ path: 'name.familyName', value: `Family${n}` })
    case 2:
      return patch({ path: 'active', value: n % 20 < 10 })
    case 3:
      return { url: `${scim}/Users?startIndex=${1 + ((n * 100) % users)}&count=100`, token }
    case 4:
      return { url: `${scim}/Users?filter=${encodeURIComponent(`displayName co "${n}"`)}&count=1`, token }
    case 5:
    case 6:
      return { url: `${scim}/Users?filter=${encodeURIComponent(`userName eq "seed${n}@example.org"`)}`, token }
    default:
      return { url: `${scim}/Users/${id}`, token }
  }
}

/**
 * What an honest request may get: 2xx, 429, 500 with the words for a platform that breaks its contract again and again, and to
 * a repetition 409 (made meanwhile) and 404 (deleted meanwhile).
 */
function note({ method = 'GET', url }: Wanted, { status, text }: Answer, isRepeated: boolean): void {
  const key = `${method} ${status}`
  statuses.set(key, (statuses.get(key) ?? 0) + 1)
  const isFine =
    status < 300 ||
    status === 429 ||
    (status === 400 && text.includes('tooMany')) ||
    (status === 500 && text.includes('unexpected way, again and again')) ||
    (isRepeated && status === 409 && method === 'POST') ||
    (isRepeated && status === 404 && method === 'DELETE')
  if (!isFine && complaints.length < 20) complaints.push(`${method} ${url}: ${status} ${text.slice(0, 300)}`)
}

async function disturb(on: World, isOn: () => boolean): Promise<void> {
  for (let turn = 0; isOn(); turn += 1) {
    await setFault(on, faults[turn % faults.length] ?? { mode: 'ok' })
    await pause(faultMs)
    await setFault(on, { mode: 'ok' })
    await pause(calmMs)
  }
}

async function setFault({ control }: World, fault: object): Promise<void> {
  const state = await sendWell({ url: `${control}/fault`, token: '', method: 'POST', body: fault })
  if (state === undefined) throw new Error('the simulator did not take the fault')
}

async function watch({ bridge }: World, isOn: () => boolean): Promise<void> {
  const startedAt = performance.now()
  while (isOn()) {
    await pause(sampleMs)
    // After a collection only what is really held is left.
    const reading = await bridge.ask({ ask: 'collect' })
    samples.push({ ...reading, second: Math.round((performance.now() - startedAt) / 1_000) })
  }
}

/** The outbox finishes what the faults have left. */
async function healed({ scim }: World): Promise<void> {
  const metrics = new URL('/metrics', scim).href
  const endsAt = performance.now() + healedWithinMs
  let left = -1
  while (performance.now() < endsAt) {
    const { text } = await send({ url: metrics, token: world.token })
    left = Number(/^scim_bridge_operations_unfinished\{.*\} (\d+)$/m.exec(text)?.[1] ?? -1)
    if (left === 0) return
    await pause(1_000)
  }
  complaints.push(
    `${left} operations were left two minutes after the platform was well again`,
    ...(await world.unfinished()),
  )
}

function judge(calm: Reading, after: Reading): void {
  const compared = samples.slice(Math.floor(samples.length * warmUp))
  const third = Math.floor(compared.length / 3)
  if (third === 0) return void complaints.push('too short to say anything about memory')
  const first = median(compared.slice(0, third).map(({ heapBytes }) => heapBytes))
  const last = median(compared.slice(-third).map(({ heapBytes }) => heapBytes))
  if (last > first * mostGrowth) complaints.push(`the heap grew from ${megabytes(first)} to ${megabytes(last)}`)
  // The pool keeps a few sockets to the platform for the next call.
  if (after.handles > calm.handles + 10) complaints.push(`${calm.handles} handles became ${after.handles}`)
}

function print(calm: Reading, after: Reading): void {
  const show = ({ rssBytes, heapBytes, handles }: Reading) => ({
    'RSS MB': Math.round(rssBytes / 1e6),
    'heap MB': Number((heapBytes / 1e6).toFixed(1)),
    handles,
  })
  const quarter = (part: number) => samples[Math.floor((samples.length - 1) * part)] ?? after
  console.table({
    'at the start': show(calm),
    'first quarter': show(quarter(0.25)),
    half: show(quarter(0.5)),
    'third quarter': show(quarter(0.75)),
    'at the end': show(quarter(1)),
    'after healing': show(after),
  })
  console.table(Object.fromEntries([...statuses].sort()))
  if (values.json !== undefined) {
    const result = { minutes, calm, after, samples, statuses: Object.fromEntries(statuses), complaints }
    writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
