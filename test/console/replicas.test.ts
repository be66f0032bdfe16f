/** Operators at two replicas behind a balancer that sends each request wherever it likes. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { openPostgresCredentials } from '../../src/store/postgres-credentials.ts'
import { eventually } from '../eventually.ts'
import { ManualClock } from '../manual-clock.ts'
import { skipPostgres } from '../postgres-server.ts'
import { type ReplicaBridges, startReplicaBridges } from '../replica-bridges.ts'
import { operatorToken, sendForm, signIn } from './console-world.ts'
import { clientId, clientSecret, type Provider, startProvider } from './oidc-provider.ts'

describe('operators at several replicas', { skip: skipPostgres }, () => {
  const clock = new ManualClock()
  let bridges: ReplicaBridges
  let provider: Provider
  let urls: ReplicaBridges['urls']

  before(async () => {
    provider = await startProvider(() => clock.now())
    const oidc = { issuer: provider.issuer, clientId, clientSecret, claims: { groups: 'scim-operators' } }
    bridges = await startReplicaBridges((config) => {
      config.console = { tokens: [operatorToken], oidc: { ...oidc, allowHttp: true } }
    }, clock)
    urls = bridges.urls
  })
  after(async () => {
    await bridges?.stop()
    await provider?.close()
  })

  const statusAt = async (url: string | undefined, cookie: string) =>
    (await fetch(`${url}/console`, { redirect: 'manual', headers: { cookie } })).status
  const statuses = (cookie: string) => Promise.all(urls.map((url) => statusAt(url, cookie)))

  test('who has signed in at one is signed in at all, forms included, and who signs out at one is out at all', async () => {
    const [a = '', b = ''] = urls
    const visitor = await signIn(a, operatorToken)
    assert.deepEqual(await statuses(visitor.cookie), [200, 200])
    const page = await (await fetch(`${b}/console`, { headers: { cookie: visitor.cookie } })).text()
    const form = /name="form" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const done = await sendForm(
      `${a}/console/setup/check`,
      { form, connection: 'figshare' },
      { cookie: visitor.cookie },
    )
    const notice = done.headers.getSetCookie()[0]?.split(';', 1)[0]
    const told = await fetch(`${b}/console/setup`, { headers: { cookie: `${visitor.cookie}; ${notice}` } })
    assert.match(await told.text(), /role="status">Good: Figshare answers/)
    await sendForm(`${b}/console/sign-out`, { form }, { cookie: visitor.cookie })
    assert.deepEqual(await statuses(visitor.cookie), [303, 303])
  })

  test('use at one keeps the session alive at all, and without use it ends at all', async () => {
    const { cookie } = await signIn(urls[0] ?? '', operatorToken)
    for (let round = 0; round < 3; round += 1) {
      clock.advance(20 * 60_000)
      assert.equal(await statusAt(urls[round % 2], cookie), 200)
    }
    clock.advance(30 * 60_000)
    assert.deepEqual(await statuses(cookie), [303, 303])
  })

  test('a token that is revoked ends its sessions at all', async () => {
    const token = 'scimb_of-the-night-shift'
    const credentials = await openPostgresCredentials(bridges.location, { log: createLog('silent'), now: clock.now() })
    const createdAt = clock.now()
    const fields = {
      connection: 'figshare',
      name: 'night',
      role: 'operate',
      createdAt,
      expiresAt: createdAt + 86_400_000,
    }
    await credentials.addToken({ ...fields, role: 'operate', sha256: hash('sha256', token) })
    const { cookie } = await signIn(urls[0] ?? '', token)
    assert.deepEqual(await statuses(cookie), [200, 200])
    await credentials.revokeToken('figshare', 'night', clock.now())
    await credentials.close()
    await eventually('it is out at both', async () => (await statuses(cookie)).every((status) => status === 303))
  })

  test('who goes to the identity provider from one comes back to another one', async () => {
    const [a = '', b = ''] = urls
    const start = await fetch(`${a}/console/sign-in/oidc`, { redirect: 'manual' })
    const cookie = start.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    const sent = await fetch(start.headers.get('location') ?? '', { redirect: 'manual' })
    const { pathname, search } = new URL(sent.headers.get('location') ?? '')
    const back = () => fetch(b + pathname + search, { redirect: 'manual', headers: { cookie } })
    const answer = await back()
    assert.equal(answer.status, 200)
    const session = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    assert.deepEqual(await statuses(session), [200, 200])
    assert.equal((await back()).status, 401, 'good for one answer')
    assert.deepEqual(provider.complaints, [])
  })
})
