/**
 * `npm run bench [-- --json FILE] [--users N]`: CPU milliseconds (user + system) of the bridge's process per request, with the
 * store as shipped and N users in it. A bare Express echo is measured in the same run: on a noisy machine the ratio says
 * more than the figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const main = join(here, '../src/main.ts')
/** Clock ticks of /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100
const inFlight = 8

interface Figure {
  readonly what: string
  readonly requests: number
  readonly cpuMs: number
  readonly ratioToEcho: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    users: { type: 'string', default: '100000' },
    port: { type: 'string', default: '18080' },
  },
})
const users = Number(values.users)
const directory = mkdtempSync(join(tmpdir(), 'scim-bridge-bench-'))
const children: ChildProcess[] = []
try {
  const figures = await measure()
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ users, figures }, null, 2)}\n`)
  console.log(`users: ${users}`)
  console.table(
    figures.map(({ what, requests, cpuMs, ratioToEcho }) => ({
      what,
      requests,
      'CPU ms': Number(cpuMs.toFixed(3)),
      '× echo': Number(ratioToEcho.toFixed(1)),
    })),
  )
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(directory, { recursive: true, force: true })
}

async function measure(): Promise<Figure[]> {
  const demo = start([main, 'demo', '--port', String(values.port), '--state', directory, '--seed-users', String(users)])
  const ready = JSON.parse(await firstLine(demo))
  const { scim, token } = ready.connections.figshare
  const bridge = listenerOf(demo.pid ?? 0)
  const seeds = (n: number) => Math.floor((n * 7919) % users)
  const ids = await idsOf(
    scim,
    token,
    Array.from({ length: 200 }, (_, n) => `seed${seeds(n)}@example.org`),
  )

  const echo = start([join(here, 'echo.ts'), readFileSync(main, 'utf8').slice(0, 900)])
  const echoUrl = await firstLine(echo)
  const base = await cpuPerRequest(echo.pid ?? 0, 20_000, () => ({ url: echoUrl, token: '' }))
  const figures: Figure[] = [{ what: 'bare Express echo', requests: 20_000, cpuMs: base, ratioToEcho: 1 }]
  const add = async (what: string, requests: number, next: (n: number) => Wanted) => {
    await cpuPerRequest(bridge, Math.ceil(requests / 5), next)
    const cpuMs = await cpuPerRequest(bridge, requests, next)
    figures.push({ what, requests, cpuMs, ratioToEcho: cpuMs / base })
  }
  await add('GET by id', 20_000, (n) => ({ url: `${scim}/Users/${ids[n % ids.length]}`, token }))
  const equal = (n: number) => encodeURIComponent(`userName eq "SEED${seeds(n)}@example.org"`)
  await add('userName eq', 10_000, (n) => ({ url: `${scim}/Users?filter=${equal(n)}`, token }))
  await add('list of 100', 500, (n) => ({ url: `${scim}/Users?startIndex=${1 + (n % 50) * 100}&count=100`, token }))
  await add('list of 1,000', 50, () => ({ url: `${scim}/Users?count=1000`, token }))
  await add('PATCH of a title, platform call and commits included', 500, (n) => ({
    url: `${scim}/Users/${ids[n % ids.length]}`,
    token,
    method: 'PATCH',
    body: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'nickName', value: `n${n}` }],
    },
  }))
  let created = 0
  await add('POST, platform calls and commits included', 300, () => {
    created += 1
    const name = `bench${created}@example.org`
    return {
      url: `${scim}/Users`,
      token,
      method: 'POST',
      body: {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: name,
        name: { givenName: 'Bench', familyName: 'Mark' },
        emails: [{ type: 'work', value: name, primary: true }],
        active: true,
      },
    }
  })
  for (const size of [10, Math.min(50_000, users)]) {
    const group = await groupOf(scim, token, size)
    await add(`add and remove one member, group of ${size.toLocaleString('en')}`, 400, (n) => ({
      url: `${scim}/Groups/${group}`,
      token,
      method: 'PATCH',
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          n % 2 === 0
            ? { op: 'add', path: 'members', value: [{ value: ids[n % ids.length] }] }
            : { op: 'remove', path: `members[value eq "${ids[(n - 1) % ids.length]}"]` },
        ],
      },
    }))
  }
  return figures
}

/** A group that gives nothing on the platform, with the first people as members. */
async function groupOf(scim: string, token: string, size: number): Promise<string> {
  const agent = new Agent({ keepAlive: true })
  const members: { value: string }[] = []
  while (members.length < size) {
    const url = `${scim}/Users?attributes=id&startIndex=${members.length + 1}&count=${Math.min(1_000, size - members.length)}`
    const { text } = await send(agent, { url, token })
    for (const { id } of JSON.parse(text).Resources) members.push({ value: id })
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  const body = { schemas, displayName: `group of ${size}`, members }
  const { status, text } = await send(agent, { url: `${scim}/Groups`, token, method: 'POST', body })
  if (status !== 201) throw new Error(`a group of ${size}: status ${status} ${text.slice(0, 200)}`)
  agent.destroy()
  return JSON.parse(text).id
}

interface Wanted {
  readonly url: string
  readonly token: string
  readonly method?: string
  readonly body?: unknown
}

function start(args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--disable-proto=delete', ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no output'))
    createInterface(child.stdout).once('line', resolve)
    child.once('exit', () => reject(new Error('ended before it was ready')))
  })
}

/** The bridge is the only child of the demo. */
function listenerOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
}

function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond
}

async function cpuPerRequest(pid: number, count: number, next: (n: number) => Wanted): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight })
  const before = cpuMsOf(pid)
  let sent = 0
  const worker = async () => {
    while (sent < count) {
      sent += 1
      const { status } = await send(agent, next(sent))
      if (status >= 300) throw new Error(`status ${status}`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const used = cpuMsOf(pid) - before
  agent.destroy()
  return used / count
}

function send(agent: Agent, wanted: Wanted): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body)
    const headers = {
      authorization: `Bearer ${wanted.token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/scim+json', 'content-length': String(Buffer.byteLength(body)) }),
    }
    const sending = request(wanted.url, { agent, method: wanted.method ?? 'GET', headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
      answer.on('error', reject)
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

async function idsOf(scim: string, token: string, names: string[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true })
  const ids: string[] = []
  for (const name of names) {
    const { text } = await send(agent, {
      url: `${scim}/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}`,
      token,
    })
    ids.push(JSON.parse(text).Resources[0].id)
  }
  agent.destroy()
  return ids
}
