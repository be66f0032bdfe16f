import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mailOf, runbookHeadings } from '../../src/alarms/mail-text.ts'
import type { JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type ScriptedServer, scriptedServer } from '../platforms/scripted-server.ts'
import { type ReceivedMail, type SmtpBehaviour, type SmtpServer, smtpServer } from '../platforms/smtp-server.ts'

const ca = fileURLToPath(new URL('../tls/authority.pem', import.meta.url))
const login = { user: 'bridge@uni.example', password: 'pass-of-the-bridge' }

interface Setup {
  readonly world: BridgeWorld
  readonly smtp: SmtpServer
  /** Time goes on until it has happened. */
  until(what: string, ask: () => boolean | Promise<boolean>): Promise<void>
  /** The platform refuses our credentials, and a user is pushed. */
  suspend(): Promise<void>
  metrics(): Promise<string>
}

async function setUp(t: TestContext, behaviour: Partial<SmtpBehaviour> = {}, alarms: JsonObject = {}): Promise<Setup> {
  const smtp = await smtpServer({ tls: 'starttls', login, ...behaviour })
  const to = ['night-shift@uni.example', 'library@uni.example']
  const world = await startBridgeWorld((config) => {
    config.publicUrl = 'https://scim.uni.example'
    const email = {
      host: '127.0.0.1',
      port: smtp.port,
      ca,
      ...login,
      from: login.user,
      to,
      allowPrivateAddresses: true,
    }
    config.alarms = { email, ...alarms }
  })
  t.after(async () => {
    await smtp.close()
    await world.stop()
  })
  return {
    world,
    smtp,
    until: (what, ask) => eventually(what, ask, () => world.clock.advance(60_000)),
    async suspend() {
      world.sandbox.figshare.fault({ mode: '401' })
      await world.scim('figshare').post('/Users', aUser())
    },
    metrics: async () => (await fetch(`${world.url}/metrics`)).text(),
  }
}

const header = (mail: ReceivedMail | undefined, name: string) => mail?.headers.find(([key]) => key === name)?.[1]
const subjects = ({ mails }: SmtpServer) => mails.map((mail) => header(mail, 'subject'))

test('people read in plain words what is so, what to do and where to look, and that it is over', async (t) => {
  const { world, smtp, until, suspend, metrics } = await setUp(t)
  await suspend()
  await until('it was told', () => smtp.mails.length === 1)
  world.sandbox.figshare.fault({ mode: 'ok' })
  await until('it was cleared', () => smtp.mails.length === 2)
  assert.deepEqual(subjects(smtp), [
    '[scim-bridge] figshare: the platform is not called any more',
    '[scim-bridge] figshare: over: the platform is not called any more',
  ])
  const [raised, cleared] = smtp.mails
  assert.deepEqual(raised?.to, ['night-shift@uni.example', 'library@uni.example'])
  assert.match(String(raised?.text), /has suspended its calls to the platform \(reason: denied\)/)
  assert.match(
    String(raised?.text),
    /\n\nWhat to do:\nChanges are kept[\s\S]*\nlocked, or its password or token has expired/,
  )
  assert.match(String(raised?.text), /^Look here: https:\/\/scim\.uni\.example\/console\/setup\?connection=figshare$/m)
  assert.match(String(raised?.text), /^It is so since \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/m)
  assert.match(String(cleared?.text), /The platform is called again\.\n\nThe alarm was on since/)
  assert.equal(header(cleared, 'in-reply-to'), header(raised, 'message-id'))
  assert.ok(smtp.mails.every(({ isEncrypted, text }) => isEncrypted && !/Lovelace|person\d/.test(text)))
  assert.match(await metrics(), /^scim_bridge_alarm_deliveries_total\{way="email",result="taken"\} 2$/m)
})

test('the message of docs/alarms.md is one that is sent', async () => {
  const page = readFileSync(new URL('../../docs/alarms.md', import.meta.url), 'utf8')
  const since = Date.UTC(2027, 2, 1, 8)
  const detail = { people: 2, minutes: 60 }
  const telling = { connection: 'library', kind: 'departure_late', state: 'raised', told: 1, detail } as const
  const { subject, text } = mailOf({ ...telling, since, now: since }, 'https://scim.uni.example')
  assert.ok(page.includes(`\n\`\`\`\nSubject: ${subject}\n\n${text}\`\`\`\n`), text)
})

test('every page that a message names is there, and every heading of the runbook', async () => {
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
  const routes = readFileSync(new URL('../../src/console/routes.ts', import.meta.url), 'utf8')
  const text = readFileSync(new URL('../../src/alarms/mail-text.ts', import.meta.url), 'utf8')
  assert.equal(runbookHeadings.length, 4)
  for (const heading of runbookHeadings) assert.ok(runbook.includes(`\n### ${heading}\n`), heading)
  const pages = [...text.matchAll(/^ {4}page: '(\w+)'/gm)].map(([, page]) => page)
  assert.equal(pages.length, 4)
  for (const page of pages) assert.ok(routes.includes(`method: 'get', path: '/${page}'`), page)
})

test('a mail server that refuses gets it later, after longer and longer waits, with the password of then', async (t) => {
  const { world, smtp, until, suspend, metrics } = await setUp(t)
  smtp.behave({ login: { ...login, password: 'a new password' } })
  await suspend()
  const tries: number[] = []
  await until('it was tried five times', () => {
    if (smtp.sessions > tries.length) tries.push(world.clock.now())
    return tries.length === 5
  })
  const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
  // Due after 1, 2, 4 and 8 minutes; looked at every half a minute of a clock that the test moves by minutes.
  assert.ok(
    waits.every((wait, index) => wait >= 60_000 * 2 ** index),
    waits.join(' '),
  )
  assert.equal(smtp.mails.length, 0)
  assert.match(await metrics(), /^scim_bridge_alarm_deliveries_total\{way="email",result="failed"\} [45]$/m)
  smtp.behave({ login, answer: '451 4.3.0 come back later, pass-of-the-bridge' })
  const before = smtp.sessions
  await until('it was tried again', () => smtp.sessions > before)
  smtp.behave({ answer: '250 2.0.0 taken' })
  await until('it was told', () => smtp.mails.length === 1)
  const log = world.logLines.join('')
  assert.match(log, /"way":"email","failures":\d+,"reason":"the mail server refused user or password \(EAUTH 535\)"/)
  assert.match(log, /"reason":"the mail server refused the message \(EMESSAGE 451\)"/)
  assert.ok(!log.includes(login.password) && !log.includes('come back later') && !log.includes('night-shift'))
})

test('where there is no TLS nothing is told, and nothing is sent in clear text', async (t) => {
  const { world, smtp, until, suspend } = await setUp(t, { tls: 'none' })
  await suspend()
  await until('it was tried twice', () => smtp.sessions >= 2)
  assert.deepEqual(new Set(smtp.lines.map(({ text }) => text.split(' ', 1)[0])), new Set(['EHLO', 'STARTTLS']))
  await until('it was written down', () => /offers no TLS, so nothing was sent/.test(world.logLines.join('')))
  assert.equal(smtp.mails.length, 0)
})

test('what was not taken before a restart is told after it, once', async (t) => {
  const { world, smtp, until } = await setUp(t, { answer: '452 4.2.2 full' })
  const scim = world.scim('figshare')
  const { body } = await scim.post('/Users', aUser())
  world.sandbox.figshare.fault({ mode: '500' })
  await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }])
  world.clock.advance(61 * 60_000)
  const late = '[scim-bridge] figshare: somebody who left may still have an account'
  const isTried = () => smtp.lines.some(({ text }) => /^Subject: .*somebody who left/.test(text))
  await until('it was tried', isTried)
  assert.equal(smtp.mails.length, 0)
  await world.restart(() => smtp.behave({ answer: '250 2.0.0 taken' }))
  await until('it was told', () => subjects(smtp).includes(late))
  await world.restart()
  const now = world.clock.now()
  await until('two hours pass', () => world.clock.now() > now + 7_200_000)
  assert.equal(subjects(smtp).filter((subject) => subject === late).length, 1)
})

test('of two ways one that is broken, or hangs, does not hold up the other', async (t) => {
  const states: unknown[] = []
  let status = 204
  const receiver: ScriptedServer = await scriptedServer(({ text }) => {
    if (status < 300) states.push(JSON.parse(text).state)
    return { status }
  })
  t.after(() => receiver.close())
  const webhook = {
    url: `${receiver.baseUrl}/hook`,
    secret: 'a-secret-between-the-two-of-us',
    allowHttp: true,
    allowPrivateAddresses: true,
  }
  const smtp = await smtpServer({ tls: 'starttls', isSilent: true })
  const world = await startBridgeWorld((config) => {
    const email = {
      host: '127.0.0.1',
      port: smtp.port,
      ca,
      from: login.user,
      to: [login.user],
      allowPrivateAddresses: true,
    }
    config.alarms = { webhook, email }
  })
  t.after(() => world.stop())
  t.after(() => smtp.close())
  const until = (what: string, ask: () => boolean) => eventually(what, ask, () => world.clock.advance(60_000))
  const turn = async (mode: '401' | 'ok') => {
    world.sandbox.figshare.fault({ mode })
    await world.scim('figshare').post('/Users', aUser())
  }
  await turn('401')
  await until('the mail server hangs', () => smtp.sessions === 1)
  await until('the webhook was told', () => states.length === 1)
  await turn('ok')
  await until('the webhook was told of the end', () => states.length === 2)
  assert.deepEqual(states, ['raised', 'cleared'])
  assert.equal(smtp.sessions, 1, 'still at the first message')
  // Now the other way round.
  status = 500
  smtp.behave({ isSilent: false })
  smtp.hangUp()
  await turn('401')
  await until('the mail was sent', () => smtp.mails.length === 1)
  assert.deepEqual(subjects(smtp), ['[scim-bridge] figshare: the platform is not called any more'])
  assert.equal(states.length, 2)
})

test('a bridge that could not trust its mail server does not start', async () => {
  const email = { host: 'smtp.uni.example', ca: 'nothing.pem', from: login.user, to: [login.user] }
  const started = startBridgeWorld((config) => {
    config.alarms = { email }
  })
  await assert.rejects(started, /alarms\.email\.ca: .*nothing\.pem cannot be read/)
})
