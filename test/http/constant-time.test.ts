import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { startBridgeWorld } from '../bridge-world.ts'

test('a token is compared in constant time, whether it fits, nearly fits or is much shorter', async (t) => {
  const real = crypto.timingSafeEqual
  let comparisons = 0
  crypto.timingSafeEqual = (one, other) => {
    comparisons += 1
    return real(one, other)
  }
  syncBuiltinESMExports()
  t.after(() => {
    crypto.timingSafeEqual = real
    syncBuiltinESMExports()
  })
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const token = world.tokens.get('figshare') ?? ''
  const ask = async (presented: string) => {
    comparisons = 0
    const headers = { authorization: `Bearer ${presented}` }
    const answer = await fetch(`${world.url}/figshare/scim/v2/Users`, { headers })
    return [answer.status, comparisons]
  }
  assert.deepEqual(await ask(token), [200, 1])
  assert.deepEqual(await ask(`${token.slice(0, -1)}~`), [401, 1])
  assert.deepEqual(await ask('x'), [401, 1])
})
