/** Every kind of secret, every kind of error, and then a search for the secrets in all that the bridge has said. */
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isJsonObject } from '../../../src/json.ts'
import { aUser, scimType } from '../../bridge-world.ts'
import { sendForm, signIn } from '../../console/console-world.ts'
import { eventually } from '../../eventually.ts'
import { storeRows } from '../../store-rows.ts'
import { rawRequest } from '../raw-request.ts'
import { assertionType, basicHeader, connectionOf, seen, startAccessWorld } from './access-world.ts'
import { rsaKey } from './issuer-server.ts'

const aSecret = (name: string) => `${name}-${randomBytes(24).toString('base64url')}`

test("no secret is in any line of the log, any answer, the metrics, the operator's pages, the audit or the store", async (t) => {
  const secrets = {
    token: aSecret('token'),
    metricsToken: aSecret('metrics'),
    operatorToken: aSecret('operator'),
    password: aSecret('password'),
    clientSecret: aSecret('client'),
    otherSecret: aSecret('other'),
    personsPassword: aSecret('person'),
    wrongToken: `scimb_${aSecret('wrong')}`,
    wrongPassword: aSecret('wrong-password'),
    wrongSecret: aSecret('wrong-secret'),
  }
  const access = await startAccessWorld((config) => {
    const figshare = connectionOf(config, 'figshare')
    figshare.tokens = [secrets.token]
    figshare.basic = [{ user: 'okta', password: secrets.password }]
    const { oauth } = figshare
    if (!isJsonObject(oauth) || !Array.isArray(oauth.clients) || !isJsonObject(oauth.clients[0]))
      throw new Error('no client')
    oauth.clients[0].secrets = [secrets.clientSecret, secrets.otherSecret]
    config.metrics = { tokens: [secrets.metricsToken] }
    config.console = { tokens: [secrets.operatorToken] }
  })
  t.after(() => access.close())
  const { world } = access
  const stored = await access.token('stored')
  const answers: string[] = []
  const scim = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const answer = await seen(`${world.url}/figshare/scim/v2${path}`, {
      method,
      headers: { 'Content-Type': scimType, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    answers.push(answer.text, JSON.stringify([...answer.headers]))
    return answer
  }
  const form = { grant_type: 'client_credentials', client_id: 'entra', client_secret: secrets.clientSecret }
  const ask = async (change: Record<string, string>, headers: Record<string, string> = {}) => {
    const answer = await access.ask({ ...form, ...change }, headers)
    if (answer.status !== 200) answers.push(answer.text)
    return answer
  }
  const issued = String((await ask({})).json.access_token)
  const entra = access.entraToken()
  const stranger = rsaKey()
  const forged = access.entraToken({}, { kid: access.key.kid }, stranger)
  const assertion = access.assertion({ jti: 'once' })
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
  const ways = [
    bearer(secrets.token),
    bearer(stored),
    bearer(issued),
    bearer(entra),
    { Authorization: basicHeader('okta', secrets.password) },
  ]

  // Everybody comes in, and makes mistakes.
  for (const headers of ways) {
    const user = { ...aUser(), password: secrets.personsPassword }
    assert.equal((await scim('POST', '/Users', headers, JSON.stringify(user))).status, 201)
    for (const [method, path, body] of [
      ['POST', '/Users', JSON.stringify(user)],
      ['POST', '/Users', '{"broken'],
      ['POST', '/Users', '{}'],
      ['GET', '/Users/nobody'],
      ['GET', '/Users?filter=nonsense'],
      ['GET', `/Users?access_token=${secrets.token}`],
      ['PUT', '/Users', '{}'],
      ['GET', '/Nothing'],
      [
        'PATCH',
        '/Users/nobody',
        JSON.stringify({ Operations: [{ op: 'replace', path: 'password', value: secrets.personsPassword }] }),
      ],
    ] as const) {
      await scim(method, path, headers, body)
    }
  }
  // Strangers, and those who mistake one field for another.
  for (const token of [
    secrets.wrongToken,
    forged,
    secrets.clientSecret,
    secrets.password,
    secrets.metricsToken,
    `${secrets.token}x`,
    access.entraToken({ exp: 1 }),
  ]) {
    assert.equal((await scim('GET', '/Users', bearer(token))).status, 401)
    await scim('GET', `/Users?token=${token}`, {})
    await scim('GET', '/Users', { Authorization: token })
  }
  for (const [user, password] of [
    ['okta', secrets.wrongPassword],
    [secrets.password, 'okta'],
    [secrets.token, ''],
  ] as const) {
    assert.equal((await scim('GET', '/Users', { Authorization: basicHeader(user, password) })).status, 401)
  }
  await ask({ client_secret: secrets.wrongSecret })
  await ask({ client_id: secrets.clientSecret, client_secret: 'entra' })
  await ask({ grant_type: secrets.clientSecret })
  await ask({ scope: secrets.clientSecret })
  await ask({}, { Authorization: basicHeader('entra', secrets.clientSecret) })
  await ask({}, { 'Content-Type': 'text/plain' })
  const { client_secret: _, ...withoutSecret } = form
  const proof = {
    ...withoutSecret,
    client_id: 'workload',
    client_assertion_type: assertionType,
    client_assertion: assertion,
  }
  assert.equal((await access.ask(proof)).status, 200)
  const replayed = await access.ask(proof)
  assert.equal(replayed.status, 401)
  answers.push(replayed.text)
  answers.push(
    await rawRequest(
      world.url,
      `GET /figshare/scim/v2/${secrets.token} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secrets.token}\r\n\r\n`,
    ),
  )
  answers.push(
    await rawRequest(
      world.url,
      `POST /figshare/oauth2/token?client_secret=${secrets.clientSecret} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ),
  )
  // Platform and issuer away.
  world.sandbox.figshare.fault({ mode: '401' })
  assert.equal((await scim('POST', '/Users', bearer(secrets.token), JSON.stringify(aUser()))).status, 429)
  world.sandbox.figshare.fault({ mode: 'down' })
  await scim('POST', '/Users', bearer(secrets.token), JSON.stringify(aUser()))
  access.issuer.mode = 'down'
  world.clock.advance(31 * 3_600_000)
  assert.equal((await scim('GET', '/Users', bearer(access.entraToken()))).status, 503)
  const metrics = await seen(`${world.url}/metrics`, { headers: bearer(secrets.metricsToken) })
  assert.equal(metrics.status, 200)
  answers.push((await seen(`${world.url}/metrics`, { headers: bearer(secrets.wrongToken) })).text)
  await eventually('the last line is written', () => /"status":503/.test(world.logLines.join('')))

  const operator = await signIn(world.url, secrets.operatorToken)
  const read = async (path: string) => {
    const page = await operator.get(path)
    assert.equal(page.status, 200, path)
    return page.text()
  }
  const lists = ['people', 'operations', 'findings', 'requests', 'mapping', 'setup']
  const pages = [await read(''), ...(await Promise.all(lists.map((list) => read(`/${list}?connection=figshare`))))]
  const [person = ''] = pages.join('').match(/\/people\/figshare\/[\w-]{36}/) ?? []
  pages.push(await read(person))
  const wrongSignIn = await sendForm(`${world.url}/console/sign-in`, { token: secrets.wrongToken })
  pages.push(await wrongSignIn.text())

  const { credentials } = world.sandbox.figshare
  const platformSecrets = Object.values(credentials).map(String)
  const keys = await access.credentials.signingKeys('figshare')
  const wanted = [
    ...Object.values(secrets),
    ...platformSecrets,
    ...[stored, issued, entra, forged, assertion],
    ...keys.map(({ privateJwk }) => String(privateJwk.d)),
    // Hashes do not open anything, and have no place there either.
    ...[secrets.token, stored].map((token) => hash('sha256', token)),
    ...['okta'].map((user) => basicHeader(user, secrets.password).slice('Basic '.length)),
  ]
  const audit = JSON.stringify(storeRows(world.directory, 'select * from audit'))
  const places = new Map([
    ['the log', world.logLines.join('')],
    ['the answers', answers.join('\n')],
    ['the metrics', metrics.text],
    ["the operator's pages", pages.join('\n')],
    ['the audit', audit],
    ['the store', fileText(world.directory, 'bridge.sqlite') + fileText(world.directory, 'bridge.sqlite-wal')],
  ])
  // The search finds what is there.
  assert.match(places.get('the log') ?? '', /"caller":"client:entra"/)
  assert.ok(audit.includes('token:stored') && audit.includes('basic:okta'))
  assert.ok(places.get('the store')?.includes('Lovelace'))
  assert.ok(answers.length > 100)
  assert.match(pages.join(''), /Lovelace/)
  for (const [place, text] of places) {
    for (const secret of wanted) assert.ok(!text.includes(secret), `${secret.slice(0, 12)}… is in ${place}`)
  }
  const kept =
    fileText(world.directory, 'bridge-credentials.sqlite') + fileText(world.directory, 'bridge-credentials.sqlite-wal')
  for (const secret of [stored, ...Object.values(secrets), issued, assertion]) assert.ok(!kept.includes(secret))
})

function fileText(directory: string, name: string): string {
  return readFileSync(join(directory, name), 'latin1')
}
