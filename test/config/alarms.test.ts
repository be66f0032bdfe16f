import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { AlarmsConfig } from '../../src/config/alarms-format.ts'
import { readPart } from './read-part.ts'

const environment = { SHORT: 'short', LONG: 'x'.repeat(20) }

/** Lines of the error with their place; the alarms when there is none. */
function read(t: TestContext, text: string): { folder: string; alarms?: AlarmsConfig; problems: string } {
  const { config, folder, problems } = readPart(t, `alarms: ${text}`, environment, { password: 'pw\n' })
  return { folder, problems, ...(config === undefined ? {} : { alarms: config.alarms }) }
}

test('a receiver of alarms is named by https, and its secret is neither written out nor short', (t) => {
  const problems = (webhook: string) => read(t, `{ webhook: ${webhook} }`).problems
  assert.match(
    problems(`{ url: "http://a.example", secret: "\${LONG}" }`),
    /alarms\.webhook\.url: alarms would go out in clear text/,
  )
  assert.match(problems(`{ url: "https://u:p@a.example", secret: "\${LONG}" }`), /URL without user and fragment/)
  assert.match(problems(`{ url: "https://a.example", secret: "\${SHORT}" }`), /is shorter than 16 characters/)
  assert.match(problems('{ url: "https://a.example", secret: written-out-and-long }'), /alarms\.webhook\.secret/)
  assert.equal(problems(`{ url: "https://a.example/x?y=1", secret: "\${LONG}" }`), '')
})

const addresses = 'from: bridge@uni.example, to: [a@uni.example]'

test('the smallest e-mail is sent with STARTTLS at port 587, or within TLS at 465', (t) => {
  const { alarms } = read(t, `{ email: { host: smtp.uni.example, ${addresses} } }`)
  assert.deepEqual(alarms?.email, {
    host: 'smtp.uni.example',
    port: 587,
    tls: 'starttls',
    ca: undefined,
    login: undefined,
    from: 'bridge@uni.example',
    to: ['a@uni.example'],
    allowPrivateAddresses: false,
  })
  const tlsAt = (more: string) =>
    read(t, `{ email: { host: smtp.uni.example, ${addresses}, ${more} } }`).alarms?.email?.tls
  assert.equal(tlsAt('port: 465'), 'implicit')
  assert.equal(tlsAt('port: 465, tls: starttls'), 'starttls')
  assert.equal(tlsAt('port: 25'), 'starttls')
  assert.equal(tlsAt('port: 25, tls: off'), 'off')
})

test('a password in a file is read anew, may be as short as the mail server has it, and is never written out', (t) => {
  const email = (password: string, more = '') =>
    read(t, `{ email: { host: smtp.uni.example, ${addresses}, user: u, password: ${password}, ca: ca.pem${more} } }`)
  const { folder, alarms } = email('{ file: password }')
  assert.equal(alarms?.email?.ca, join(folder, 'ca.pem'))
  assert.equal(alarms?.email?.login?.password(), 'pw')
  writeFileSync(join(folder, 'password'), 'another one\n')
  assert.equal(alarms?.email?.login?.password(), 'another one')
  assert.equal(email(`"\${SHORT}"`).alarms?.email?.login?.password(), 'short')
  const { problems } = email('written-out-and-long')
  assert.match(problems, /alarms\.email\.password: a secret is not written here/)
  assert.ok(!problems.includes('written-out'))
  assert.match(
    email(`"\${SHORT}"`, ', tls: off').problems,
    /alarms\.email\.tls: the password would go out in clear text/,
  )
})

test('what is no address of a mail server or a person is refused with its place', (t) => {
  const problems = (email: string) => read(t, `{ email: ${email} }`).problems
  assert.match(
    problems(`{ host: 169.254.169.254, ${addresses}, allowPrivateAddresses: true }`),
    /email\.host: .*metadata/,
  )
  assert.match(problems(`{ host: 10.0.0.1, ${addresses} }`), /email\.host: .*allowPrivateAddresses: true/)
  assert.equal(problems(`{ host: 10.0.0.1, ${addresses}, allowPrivateAddresses: true }`), '')
  assert.match(problems(`{ host: "::1", ${addresses} }`), /email\.host: .*allowPrivateAddresses: true/)
  assert.match(problems(`{ host: "smtp://a.example", ${addresses} }`), /email\.host: has to be the name or address/)
  assert.match(problems(`{ host: a.example, user: u, ${addresses} }`), /user and password belong together/)
  assert.match(problems('{ host: a.example, from: bridge@uni.example, to: [] }'), /email\.to: has to have at least one/)
  assert.match(problems(`{ host: a.example, ${addresses}, pasword: x }`), /unknown key.*password/)
  const others = [
    '"a@uni.example\\r\\nBcc: b@uni.example"',
    '"a@uni.example\\n"',
    '"a@uni.example, b@uni.example"',
    '"Night Shift <a@uni.example>"',
    '"a@uni.example>"',
    '"a b@uni.example"',
    '"ä@uni.example"',
    'uni.example',
  ]
  for (const address of others) {
    assert.match(problems(`{ host: a.example, from: ${address}, to: [a@uni.example] }`), /email\.from: has to be one/)
    assert.match(problems(`{ host: a.example, from: a@uni.example, to: [${address}] }`), /email\.to\.0: has to be one/)
  }
})
