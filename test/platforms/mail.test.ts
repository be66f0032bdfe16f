import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createMail, type MailMessage, type MailSettings } from '../../src/platforms/mail.ts'
import { watchFile } from '../../src/watched-file.ts'
import { type SmtpBehaviour, type SmtpServer, smtpServer } from './smtp-server.ts'

const authority = fileURLToPath(new URL('../tls/authority.pem', import.meta.url))
const login = { user: 'bridge@uni.example', password: 'pass-of-the-bridge' }
const message: MailMessage = {
  id: 'library.failed.1.1',
  subject: 'changes were given up',
  text: 'Look here.\n.\nA line of one dot.\n',
  now: Date.UTC(2027, 2, 1, 8),
}
const inTime = new AbortController().signal

async function aServer(t: TestContext, behaviour: SmtpBehaviour): Promise<SmtpServer> {
  const server = await smtpServer(behaviour)
  t.after(() => server.close())
  return server
}

function mailTo({ port }: { readonly port: number }, change: Partial<MailSettings> = {}) {
  return createMail({
    host: '127.0.0.1',
    port,
    tls: 'starttls',
    ca: watchFile(authority),
    login: { user: login.user, password: () => login.password },
    from: 'bridge@uni.example',
    to: ['night-shift@uni.example'],
    allowPrivateAddresses: true,
    ...change,
  })
}

/** What was sent in clear text, as words of SMTP. */
const inClear = ({ lines }: SmtpServer) =>
  lines.filter(({ isEncrypted }) => !isEncrypted).map(({ text }) => text.split(' ', 1)[0])

for (const tls of ['starttls', 'implicit'] as const) {
  test(`a message goes out with TLS (${tls}), signed in, and arrives as it was written`, async (t) => {
    const server = await aServer(t, { tls, login })
    assert.deepEqual(await mailTo(server, { tls }).send(message, inTime), { refused: 0 })
    const [mail] = server.mails
    assert.deepEqual(
      [mail?.from, mail?.to, mail?.isEncrypted],
      ['bridge@uni.example', ['night-shift@uni.example'], true],
    )
    assert.equal(mail?.text.trimEnd(), message.text.trimEnd())
    const headers = new Map(mail?.headers)
    assert.equal(headers.get('subject'), message.subject)
    assert.equal(headers.get('message-id'), '<library.failed.1.1@uni.example>')
    assert.equal(headers.get('auto-submitted'), 'auto-generated')
    assert.equal(headers.get('date'), 'Mon, 01 Mar 2027 08:00:00 +0000')
    assert.deepEqual(inClear(server), tls === 'implicit' ? [] : ['EHLO', 'STARTTLS'])
  })
}

test('a server without TLS gets nothing, neither message nor password; one that nobody vouches for neither', async (t) => {
  const plain = await aServer(t, { tls: 'none', login })
  await assert.rejects(mailTo(plain).send(message, inTime), /offers no TLS, so nothing was sent \(ETLS 502\)/)
  assert.deepEqual(inClear(plain), ['EHLO', 'STARTTLS'])
  await assert.rejects(mailTo(plain, { tls: 'implicit' }).send(message, inTime))
  assert.ok(!inClear(plain).some((word) => word === 'AUTH' || word === 'MAIL'))
  const unknown = await aServer(t, { tls: 'starttls', login })
  await assert.rejects(mailTo(unknown, { ca: undefined }).send(message, inTime), /SELF_SIGNED|ESOCKET|UNABLE_TO_VERIFY/)
  assert.deepEqual(inClear(unknown), ['EHLO', 'STARTTLS'])
  assert.equal(unknown.lines.length, 2)
})

test('without TLS it goes out only where that was said', async (t) => {
  const server = await aServer(t, { tls: 'starttls' })
  await mailTo(server, { tls: 'off', login: undefined }).send(message, inTime)
  assert.equal(server.mails[0]?.isEncrypted, false)
})

test('an error says what the server refused, and never what it said: it may repeat the password', async (t) => {
  const server = await aServer(t, { tls: 'starttls', login: { ...login, password: 'another' } })
  const refusal = async (change: Partial<SmtpBehaviour>, settings: Partial<MailSettings> = {}) => {
    server.behave(change)
    const error = await mailTo(server, settings)
      .send(message, inTime)
      .catch((caught: unknown) => caught)
    assert.ok(error instanceof Error && error.cause === undefined)
    assert.ok(!`${error.stack}`.includes(login.password))
    return error.message
  }
  assert.equal(await refusal({}), 'the mail server refused user or password (EAUTH 535)')
  assert.equal(
    await refusal({ login, refused: ['night-shift@uni.example'] }),
    'the mail server refused sender or recipients (EENVELOPE 550)',
  )
  assert.equal(
    await refusal({ refused: [], answer: '451 4.3.0 pass-of-the-bridge' }),
    'the mail server refused the message (EMESSAGE 451)',
  )
  await server.close()
  assert.equal(await refusal({}), 'ECONNREFUSED')
  assert.equal(server.mails.length, 0)
})

test('it reaches those whom the server takes, and tells how many it does not', async (t) => {
  const server = await aServer(t, { tls: 'starttls', login, refused: ['gone@uni.example'] })
  const to = ['gone@uni.example', 'night-shift@uni.example']
  assert.deepEqual(await mailTo(server, { to }).send(message, inTime), { refused: 1 })
  assert.deepEqual(server.mails[0]?.to, ['night-shift@uni.example'])
})

test('nothing that a message is made of becomes a header or a recipient', async (t) => {
  const server = await aServer(t, { tls: 'starttls', login })
  const evil = 'x\r\nBcc: thief@elsewhere.example\r\n\r\nbody'
  await mailTo(server).send({ ...message, id: evil, follows: evil, subject: evil }, inTime)
  const [mail] = server.mails
  const names = mail?.headers.map(([name]) => name) ?? []
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.includes('subject') && !names.includes('bcc'), names.join(' '))
  assert.deepEqual(mail?.to, ['night-shift@uni.example'])
  assert.equal(mail?.text.trimEnd(), message.text.trimEnd())
})

test('a name or address that leads inside is not spoken to unless that was said', async (t) => {
  const server = await aServer(t, { tls: 'starttls', login })
  const notAllowed = /leads to an address that is not allowed/
  for (const host of ['127.0.0.1', 'localhost']) {
    const mail = mailTo(server, { host, allowPrivateAddresses: false })
    await assert.rejects(mail.send(message, inTime), notAllowed)
    await assert.rejects(mail.probe(), notAllowed)
  }
  assert.deepEqual(server.lines, [])
})

test('user, password and authority are those of now', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-mail-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'password')
  writeFileSync(file, 'an old password\n')
  const password = watchFile(file)
  const server = await aServer(t, { tls: 'starttls', login })
  const mail = mailTo(server, { login: { user: login.user, password: () => password.text() } })
  await assert.rejects(mail.probe(), /EAUTH/)
  writeFileSync(file, `${login.password}\n`)
  await mail.probe()
  await mail.send(message, inTime)
  assert.equal(server.mails.length, 1)
})

test('a probe signs in and sends nothing', async (t) => {
  const server = await aServer(t, { tls: 'starttls', login })
  await mailTo(server).probe()
  assert.deepEqual(
    server.lines.map(({ text }) => text.split(' ', 1)[0]).filter((word) => word !== 'QUIT'),
    ['EHLO', 'STARTTLS', 'EHLO', 'AUTH'],
  )
})

test('a message on its way is given up when the bridge stops', async (t) => {
  const server = await aServer(t, { tls: 'starttls', isSilent: true })
  const stopping = new AbortController()
  const sending = mailTo(server).send(message, stopping.signal)
  stopping.abort(new Error('the bridge is stopping'))
  await assert.rejects(sending, /the bridge is stopping/)
})
