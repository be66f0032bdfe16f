/** Callers who are gone before they have an answer. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { aUser, scimType } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'

/** Sends this on a socket of its own. */
async function socketWith({ world }: FigshareBridge, text: string) {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

test('a request whose caller is gone before the answer is not counted, logged or shown as a success', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { world } = bridge
  bridge.fault({ mode: 'hang' })
  const body = JSON.stringify(aUser())
  const head = `Host: x\r\nAuthorization: Bearer ${world.tokens.get('figshare')}\r\nContent-Type: ${scimType}\r\n`
  const socket = await socketWith(
    bridge,
    `POST /figshare/scim/v2/Users HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  await bridge.held()
  socket.destroy()
  const line = () => world.logLines.map((text) => JSON.parse(text)).find(({ msg }) => msg === 'request')
  await eventually('the request is logged', () => line() !== undefined)
  assert.deepEqual([line()?.status, line()?.isFlushed], [499, false])
  const metrics = await (await fetch(`${world.url}/metrics`)).text()
  assert.match(
    metrics,
    /scim_bridge_requests_total\{connection="figshare",route="Users",method="POST",status="499"\} 1/,
  )
  await eventually('it is kept', () => {
    world.clock.advance(1_000)
    return bridge.row('select status from scim_request')?.status === 499
  })
  bridge.heal()
})

test('a form that ends early is nothing that is wrong with the bridge', async (t) => {
  const bridge = await startFigshareBridge(t)
  const head = 'Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n'
  const socket = await socketWith(bridge, `POST /console/sign-in HTTP/1.1\r\n${head}\r\ntoken=abc`)
  socket.destroy()
  await once(socket, 'close')
  assert.equal((await fetch(`${bridge.world.url}/console/sign-in`)).status, 200)
  const errors = bridge.world.logLines.filter((text) => JSON.parse(text).level >= 50)
  assert.deepEqual(errors, [])
})
