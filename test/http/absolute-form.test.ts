/** RFC 9112 §3.2.2: a server takes a request whose target is a whole URL, as some gateways send it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { rawRequest } from './raw-request.ts'

let world: BridgeWorld
let id = ''
before(async () => {
  world = await startBridgeWorld()
  id = (await world.scim('figshare').post('/Users', aUser())).body.id
})
after(() => world.stop())

/** The status and the rest of the answer. */
async function asked(target: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const token = world.tokens.get('figshare')
  const text = await rawRequest(
    world.url,
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  return { status: Number(text.split(' ')[1]), text }
}

test('a request for a whole URL is answered as one for its path, whatever host it names', async () => {
  for (const origin of [world.url, 'https://scim.uni.example', 'HTTP://else.example:8080']) {
    const user = await asked(`${origin}/figshare/scim/v2/Users/${id}?attributes=userName`)
    assert.equal(user.status, 200, user.text)
    assert.ok(user.text.includes(`"id":"${id}"`))
    assert.ok(!user.text.includes('else.example'))
    assert.equal((await asked(`${origin}/livez`)).status, 200)
    assert.equal((await asked(`${origin}/console/sign-in`)).status, 200)
    assert.equal((await asked(`${origin}/admin/v1/connections`)).status, 403)
    assert.equal((await asked(`${origin}/figshare/oauth2/token`)).status, 405)
  }
})

test('a URL without a path, and no URL at all, are no endpoint', async () => {
  for (const target of ['http://x', 'http://x?/livez', '*']) {
    assert.equal((await asked(target, target === '*' ? 'OPTIONS' : 'GET')).status, 404, target)
  }
})
