/** The recorded dialogue with a real Drupal 7 and restws, played against the simulator from the first exchange to the last. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { request } from 'undici'
import { createEthosce, type EthosceSimulator, roleId } from '../../src/sandbox/ethosce/ethosce.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import type { RunningSimulator } from '../../src/sandbox/simulator.ts'

interface Sample {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly bodyKind: 'text' | 'json' | 'html'
    readonly body: unknown
  }
}

const folder = new URL('ethosce-samples/', import.meta.url)
const samples = readdirSync(folder)
  .filter((name) => /^\d{3}-/.test(name))
  .sort()
  .map((name): Sample => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))

/** Bodies that are not compared: the recorded page is the theme's, cut in the middle. Status and type are. */
const bodiesLeftOut = new Set(['get-user-no-accept'])
const password = 'correct horse'
const recordedOrigin = 'http://ethosce.example'
const startedAt = 1_795_313_378_000

/** The site as it was recorded: uid 1, four accounts for web services, two groups. */
function recordedSite(): EthosceSimulator {
  const account = (name: string, mail: string, rights: 'full' | 'limited' | 'none') => ({
    name,
    mail,
    rights,
    password,
    status: 1,
    roles: [roleId('web_service')],
  })
  const site = createEthosce({
    now: () => startedAt,
    credentials: { user: 'restws_webservice', password },
    users: [
      account('restws_limited', 'service3@example.test', 'limited'),
      account('apiuser', 'apiuser@example.test', 'full'),
      account('restws_norole', 'service5@example.test', 'none'),
    ],
  })
  const administrator = site.userByName('admin')
  if (administrator !== undefined) administrator.login = startedAt / 1000
  return site
}

test('every recorded exchange is answered as it was recorded: status, type, cookie, text, JSON and ids', async () => {
  const site = recordedSite()
  const running = await startSimulator(site)
  after(() => running.close())
  assert.equal(samples.length, 218)
  const differences: string[] = []
  let session = ''
  let token = ''
  for (const sample of samples) {
    site.knobs.maintenance = sample.name.startsWith('maintenance-')
    // Only the first and the last of the wrong passwords were recorded.
    const times = sample.name === 'flood-wrong-1' ? 5 : 1
    if (sample.name === 'flood-cleared') site.clearFlood()
    for (let turn = 0; turn < times; turn += 1) {
      const answer = await play(running, sample, session, token)
      if (sample.name === 'auth-session-start') session = String(answer.setCookie).split(';')[0] ?? ''
      if (sample.name === 'csrf-token') token = answer.body
      differences.push(...compare(sample, answer, running))
    }
  }
  assert.deepEqual(differences, [])
  assert.deepEqual(
    site.state.mails.map((mail) => [mail.key, mail.to, mail.subject]),
    [recordedMail()],
  )
})

interface Played {
  readonly status: number
  readonly type: string
  readonly setCookie: string | undefined
  readonly location: string | undefined
  readonly body: string
}

async function play(running: RunningSimulator, sample: Sample, session: string, token: string): Promise<Played> {
  const headers = { ...sample.request.headers }
  const [, name, kind] = /^Basic <([^:]+):(right|wrong) password>$/.exec(headers.Authorization ?? '') ?? []
  if (name !== undefined) {
    const pair = `${name}:${kind === 'right' ? password : 'a wrong one'}`
    headers.Authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  }
  if (headers.Cookie !== undefined) headers.Cookie = session
  if (headers['X-CSRF-Token'] !== undefined) headers['X-CSRF-Token'] = token
  const { body } = sample.request
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await request(running.baseUrl + sample.request.path, {
    method: sample.request.method as 'GET',
    headers,
    ...(body === null ? {} : { body: text }),
  })
  const one = (header: string) => {
    const value = answer.headers[header]
    return Array.isArray(value) ? value[0] : value
  }
  return {
    status: answer.statusCode,
    type: one('content-type') ?? '',
    setCookie: one('set-cookie'),
    location: one('location'),
    body: await answer.body.text(),
  }
}

function compare(sample: Sample, answer: Played, running: RunningSimulator): string[] {
  const { response } = sample
  const found: string[] = []
  const expect = (what: string, actual: unknown, recorded: unknown) => {
    if (actual !== recorded) found.push(`${sample.name}: ${what} is ${String(actual)}, recorded ${String(recorded)}`)
  }
  expect('status', answer.status, response.status)
  expect('type', answer.type, response.headers['content-type'])
  expect('a cookie', answer.setCookie !== undefined, response.headers['set-cookie'] !== undefined)
  expect('location', answer.location?.replace(running.baseUrl, recordedOrigin), response.headers.location)
  if (bodiesLeftOut.has(sample.name)) return found
  const comparable = (text: string) =>
    text.replaceAll(running.baseUrl, recordedOrigin).replaceAll(/"17953\d{5}"/g, '"<seconds>"')
  if (response.bodyKind === 'json') {
    const shown = answer.type.includes('json') ? JSON.stringify(JSON.parse(answer.body)) : answer.body
    expect('JSON', comparable(shown), comparable(JSON.stringify(response.body)))
  } else if (response.bodyKind === 'html') {
    expect('page', answer.body.slice(0, 52), String(response.body).slice(0, 52))
  } else if (sample.name === 'csrf-token') {
    expect('token', /^[\w-]{43}$/.test(answer.body), true)
  } else {
    expect('text', comparable(answer.body), String(response.body))
  }
  return found
}

function recordedMail(): [string, string, string] {
  const mail = JSON.parse(readFileSync(new URL('mail-block-unblock.json', folder), 'utf8'))
  return [mail.ids[0], mail.to[0], mail.subject[0]]
}
