import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readConfig } from '../../src/bridge.ts'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { isJsonObject } from '../../src/json.ts'
import { enterpriseUrn, provisioningUrn } from '../../src/scim/attribute.ts'
import { aUser } from '../bridge-world.ts'
import { addressesOf, aFolder, type Demo, fault, listed, patchOf, scim, startDemo, viewOfDemo } from './demo-process.ts'
import { answers, isAlive, within } from './processes.ts'

const sharedToken = 'five-doors'
const seeded = 300

const folder = aFolder()
const state = join(folder.path, 'made', 'when', 'missing')
let demo: Demo
before(async () => {
  demo = await startDemo(['--token', sharedToken, '--state', state, '--seed-users', String(seeded)])
})
after(async () => {
  await demo.stop()
  folder.remove()
})

describe('the ready line', () => {
  test('names the process, the bridge and the console', () => {
    const { ready, pid, bridge, console, consoleToken: _, ...others } = demo.ready
    assert.equal(ready, true)
    assert.ok(isAlive(pid))
    assert.equal(bridge, `http://127.0.0.1:${demo.port}`)
    assert.equal(console, `${bridge}/console`)
    assert.deepEqual(Object.keys(others), ['connections'])
  })

  test("has a token that opens the operator's pages, as the shared one does, and no connection's does", async () => {
    const { console, consoleToken, connections } = demo.ready
    const statusWith = async (token: string) => {
      const body = new URLSearchParams({ token })
      return (await fetch(`${console}/sign-in`, { method: 'POST', redirect: 'manual', body })).status
    }
    assert.equal(await statusWith(consoleToken), 303)
    assert.equal(await statusWith(sharedToken), 303)
    assert.equal(await statusWith(connections.figshare.token), 401)
  })

  test('names, for every platform, where it is and how to get in', () => {
    const basePaths = {
      figshare: '/v2',
      ethosce: '',
      openspecimen: '/openspecimen/rest/ng',
      selfcommunity: '',
      dspace: '/server',
    }
    const credentialShapes = {
      figshare: { token: 'string' },
      ethosce: { user: 'string', password: 'string' },
      openspecimen: { user: 'string', password: 'string', domain: 'string' },
      selfcommunity: { jwtSecret: 'string', userId: 'number' },
      dspace: { user: 'string', password: 'string' },
    }
    assert.deepEqual(Object.keys(demo.ready.connections), [...demoPlatforms])
    for (const platform of demoPlatforms) {
      const {
        scim: scimUrl,
        token,
        platform: baseUrl,
        control,
        credentials,
        oauth,
        ...others
      } = demo.ready.connections[platform]
      const origin = new URL(baseUrl).origin
      assert.deepEqual(others, {})
      assert.equal(scimUrl, `${demo.ready.bridge}/${platform}/scim/v2`)
      assert.ok(token.length >= 32)
      assert.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.equal(baseUrl, origin + basePaths[platform])
      assert.equal(control, `${origin}/__sim`)
      assert.equal(oauth.tokenPath, `/${platform}/oauth2/token`)
      assert.ok(oauth.clientId.length > 0 && oauth.clientSecret.length >= 32)
      const shape = Object.fromEntries(Object.entries(credentials).map(([name, value]) => [name, typeof value]))
      assert.deepEqual(shape, credentialShapes[platform])
    }
    assert.match(String(demo.ready.connections.ethosce.credentials.user), /^restws_/)
    assert.equal(demo.ready.connections.openspecimen.credentials.domain, 'openspecimen')
  })
})

for (const platform of demoPlatforms) {
  describe(`the connection ${platform}`, () => {
    test('takes the shared token and its own one, and no other connection does', async () => {
      const { token } = demo.ready.connections[platform]
      for (const other of demoPlatforms) {
        const asked = (with_: string) => scim(demo.ready.connections[other], 'GET', '/Users?count=1', undefined, with_)
        assert.equal((await asked(sharedToken)).status, 200)
        assert.equal((await asked(token)).status, other === platform ? 200 : 401)
      }
    })

    test('gives its OAuth client a token, which it takes and no other connection does', async () => {
      const { tokenPath, clientId, clientSecret } = demo.ready.connections[platform].oauth
      const answer = await fetch(demo.ready.bridge + tokenPath, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: clientSecret,
          scope: 'scim',
        }),
      })
      assert.equal(answer.status, 200)
      const body = JSON.parse(await answer.text())
      assert.ok(body.expires_in >= 3_600 && body.expires_in <= 21_600)
      for (const other of demoPlatforms) {
        const asked = await scim(demo.ready.connections[other], 'GET', '/Users?count=1', undefined, body.access_token)
        assert.equal(asked.status, other === platform ? 200 : 401)
      }
    })

    test('gives a person one account, which the administrator of the ready line sees', async () => {
      const user = aUser()
      const answer = await scim(demo.ready.connections[platform], 'POST', '/Users', user)
      assert.equal(answer.status, 201)
      const view = viewOfDemo(demo.ready, platform)
      const accounts = await view.byEmail(String(user.userName))
      assert.equal(accounts.length, 1)
      assert.equal(accounts[0]?.isOn, true)
      // Signing in twice must not end the bridge's own session.
      await view.byEmail(String(user.userName))
      const path = `/Users/${answer.body.id}`
      const off = await scim(demo.ready.connections[platform], 'PATCH', path, patchOf({ active: false }))
      assert.equal(off.status, 200)
      assert.equal((await view.byEmail(String(user.userName)))[0]?.isOn, false)
    })

    test('has a simulator that changes its fault mode at once, and lets go who waits', async () => {
      const connection = demo.ready.connections[platform]
      const path = `${connection.platform}/`
      assert.deepEqual((await fault(connection, { mode: 'slow', delayMs: 60_000 })).status, 200)
      const waiting = fetch(path).then(
        () => 'answered',
        () => 'closed',
      )
      for (const mode of ['down', 'lost', 'html', '500', '401', 'ok']) {
        const { status, ms } = await fault(connection, { mode })
        assert.equal(status, 200)
        assert.ok(ms < 1_000, `${mode} took ${ms} ms`)
      }
      assert.match(await waiting, /answered|closed/)
    })
  })
}

test('bridge.yaml is the whole configuration, and for its owner only', () => {
  const file = join(state, 'bridge.yaml')
  const config = readConfig(file, {})
  assert.equal(config.publicUrl, demo.ready.bridge)
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: demo.port })
  assert.deepEqual(config.store, { kind: 'sqlite', file: join(state, 'bridge.sqlite') })
  assert.equal(config.retry.maximumSeconds, 5)
  assert.equal(statSync(file).mode & 0o077, 0)
  for (const connection of config.connections) {
    const { token, platform } =
      demo.ready.connections[demoPlatforms.find((name) => name === connection.name) ?? 'dspace']
    assert.equal(connection.name, connection.platform)
    assert.deepEqual(connection.tokens, [token, sharedToken])
    assert.equal(connection.baseUrl, platform)
    assert.equal(connection.mode, 'confirmed')
    assert.equal(connection.pace, 'off')
    assert.ok(existsSync(connection.mapping ?? ''))
  }
  assert.deepEqual(config.connections.map(({ name }) => name).sort(), [...demoPlatforms].sort())
})

describe('--seed-users', () => {
  const found = async (index: number) => {
    const filter = encodeURIComponent(`userName eq "SEED${index}@example.org"`)
    const [user, ...others] = listed(await scim(demo.ready.connections.figshare, 'GET', `/Users?filter=${filter}`))
    assert.ok(user !== undefined && others.length === 0, `one seed${index}`)
    return user
  }

  test('gives the figshare connection so many users, and no other one', async () => {
    const emails = encodeURIComponent('emails.value sw "seed"')
    const { body } = await scim(demo.ready.connections.figshare, 'GET', `/Users?filter=${emails}&count=1`)
    assert.equal(body.totalResults, seeded)
    const { body: other } = await scim(demo.ready.connections.dspace, 'GET', `/Users?filter=${emails}`)
    assert.equal(other.totalResults, 0)
  })

  test('who have names, a title, a department and a work address, from the first to the last', async () => {
    for (const index of [0, seeded - 1]) {
      const user = await found(index)
      const address = `seed${index}@example.org`
      const { userName, active, emails, name, title, [enterpriseUrn]: enterprise } = user
      assert.deepEqual(
        { userName, active, emails, name, title, enterprise },
        {
          userName: address,
          active: true,
          emails: [{ value: address, type: 'work', primary: true }],
          name: { givenName: `Given${index}`, familyName: `Family${index}` },
          title: 'Researcher',
          enterprise: { department: 'Physics' },
        },
      )
    }
  })

  test('who are linked: a change reaches their account', async () => {
    const user = await found(7)
    const [before] = await viewOfDemo(demo.ready, 'figshare').byEmail('seed7@example.org')
    const provisioning = user[provisioningUrn]
    assert.equal(isJsonObject(provisioning) && provisioning.accountId, before?.id)
    assert.equal(before?.isOn, true)
    // Not the id that the first account of any demonstration would have: a kept store may know that one.
    assert.ok(Number(before?.id) > 3_100_000)
    const path = `/Users/${user.id}`
    const named = patchOf({ name: { givenName: 'Seventh', familyName: 'Seal' } })
    assert.equal((await scim(demo.ready.connections.figshare, 'PATCH', path, named)).status, 200)
    const off = patchOf({ active: false })
    assert.equal((await scim(demo.ready.connections.figshare, 'PATCH', path, off)).status, 200)
    const [account, ...others] = await viewOfDemo(demo.ready, 'figshare').byEmail('seed7@example.org')
    assert.deepEqual(others, [])
    assert.equal(account?.familyName, 'Seal')
    assert.equal(account?.isOn, false)
  })
})

test('SIGTERM ends all of it with status 0, while platforms keep callers waiting, and stdout has had one line', async () => {
  for (const platform of demoPlatforms) {
    await fault(demo.ready.connections[platform], { mode: 'slow', delayMs: 60_000 })
  }
  const { dspace } = demo.ready.connections
  const pending = scim(dspace, 'POST', '/Users', aUser()).catch(() => undefined)
  await within(5_000, 'a call that waits', async () => {
    const answer = await fetch(`${dspace.control}/fault`)
    return /"waiting":[1-9]/.test(await answer.text())
  })
  const before = Date.now()
  const { status, stdout, stderr } = await demo.stop()
  const ms = Date.now() - before
  await pending
  assert.equal(status, 0, stderr)
  assert.ok(ms < 8_000, `${ms} ms`)
  assert.deepEqual(JSON.parse(stdout), demo.ready)
  assert.equal(stdout.split('\n').length, 2)
  assert.ok(demo.processes.length >= 3 && demo.processes.includes(demo.ready.pid))
  assert.deepEqual(demo.processes.filter(isAlive), [])
  for (const address of addressesOf(demo.ready)) assert.equal(await answers(address), false, address)
})
