import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { startSimulator } from '../../src/sandbox/server.ts'
import type { FaultRequest, PlatformLogic, RunningSimulator } from '../../src/sandbox/simulator.ts'

interface Counter extends PlatformLogic {
  /** Bodies of the writes that were done. */
  readonly done: string[]
}

function counter(basePath = '/v2'): Counter {
  const done: string[] = []
  return {
    basePath,
    done,
    credentials: {},
    isWrite: (request) => request.method !== 'GET',
    answer(request) {
      if (request.method !== 'GET') done.push(request.body)
      return {
        status: 200,
        headers: { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] },
        body: JSON.stringify({ path: request.path, rawPath: request.rawPath, query: [...request.query] }),
      }
    },
    refuseCredentials: () => ({ status: 403, headers: { 'content-type': 'text/html' }, body: 'refused' }),
    serverError: () => ({ status: 500, headers: { 'content-type': 'text/html' }, body: 'broken' }),
  }
}

async function started(basePath?: string) {
  const logic = counter(basePath)
  const simulator = await startSimulator(logic)
  after(() => simulator.close())
  const control = (fault: unknown) =>
    fetch(`${simulator.controlUrl}/fault`, { method: 'POST', body: JSON.stringify(fault) })
  return { logic, simulator, control }
}

/** `closed` when the connection ended without a whole answer. */
async function call(simulator: RunningSimulator, method: string, body?: string): Promise<string> {
  try {
    const answer = await fetch(`${simulator.baseUrl}/x`, { method, redirect: 'manual', ...(body ? { body } : {}) })
    return `${answer.status} ${answer.headers.get('content-type') ?? '-'} ${(await answer.text()).slice(0, 15)}`
  } catch {
    return 'closed'
  }
}

/** Ends when a call hangs on the simulator; the test's own time limit ends it otherwise. */
async function untilWaiting(simulator: RunningSimulator): Promise<void> {
  let text = ''
  do text = await (await fetch(`${simulator.controlUrl}/fault`)).text()
  while (text.includes('"waiting":0'))
}

const normal = '200 application/json {"path":"/x","r'
const table: readonly {
  readonly fault: FaultRequest
  readonly read: string
  readonly write: string
  readonly writesDone: number
}[] = [
  { fault: { mode: 'ok' }, read: normal, write: normal, writesDone: 1 },
  { fault: { mode: 'down' }, read: 'closed', write: 'closed', writesDone: 0 },
  { fault: { mode: 'slow', delayMs: 1 }, read: normal, write: normal, writesDone: 1 },
  { fault: { mode: 'lost' }, read: normal, write: 'closed', writesDone: 1 },
  { fault: { mode: 'html' }, read: page(), write: page(), writesDone: 0 },
  { fault: { mode: '500' }, read: '500 text/html broken', write: '500 text/html broken', writesDone: 0 },
  { fault: { mode: '401' }, read: '403 text/html refused', write: '403 text/html refused', writesDone: 0 },
  { fault: { mode: 'reset-before' }, read: 'closed', write: 'closed', writesDone: 0 },
  { fault: { mode: 'reset-after' }, read: 'closed', write: 'closed', writesDone: 1 },
  { fault: { mode: 'reset-in-headers' }, read: 'closed', write: 'closed', writesDone: 1 },
  { fault: { mode: '500-after' }, read: '500 text/html broken', write: '500 text/html broken', writesDone: 1 },
  { fault: { mode: 'truncated' }, read: 'closed', write: 'closed', writesDone: 1 },
  { fault: { mode: 'redirect' }, read: '302 - ', write: '302 - ', writesDone: 0 },
  { fault: { mode: 'drip', delayMs: 0 }, read: normal, write: normal, writesDone: 1 },
  { fault: { mode: '429' }, read: busy(429, 'Too m'), write: busy(429, 'Too m'), writesDone: 0 },
  { fault: { mode: '503' }, read: busy(503, 'Servi'), write: busy(503, 'Servi'), writesDone: 0 },
  { fault: { mode: 'answer', status: 201, body: 'null' }, read: fixed(), write: fixed(), writesDone: 0 },
]

function page(): string {
  return '200 text/html; charset=utf-8 <!DOCTYPE html>'
}
function busy(status: number, start: string): string {
  return `${status} application/json {"message":"${start}`.slice(0, 36)
}
function fixed(): string {
  return '201 application/json null'
}

for (const { fault, read, write, writesDone } of table) {
  test(`in mode ${fault.mode} a read and a write are answered and done as the mode says, and counted`, async () => {
    const { logic, simulator, control } = await started()
    assert.equal((await control(fault)).status, 200)
    assert.equal((await call(simulator, 'GET')).slice(0, read.length), read)
    assert.equal((await call(simulator, 'POST', '{}')).slice(0, write.length), write)
    assert.equal(logic.done.length, writesDone)
    const expected = fault.mode === 'ok' ? 0 : fault.mode === 'lost' ? 1 : 2
    assert.equal(simulator.faultCount, expected)
    assert.deepEqual(await (await fetch(`${simulator.controlUrl}/fault`)).json(), {
      mode: fault.mode,
      fired: expected,
      waiting: 0,
    })
  })
}

test('a change of the mode lets go the calls that are waiting, and control answers meanwhile', async () => {
  const { logic, simulator, control } = await started()
  for (const mode of ['hang', 'hang-after', 'late', 'slow'] as const) {
    await control({ mode, delayMs: 600_000 })
    const waiting = call(simulator, 'POST', mode)
    await untilWaiting(simulator)
    assert.equal(logic.done.includes(mode), mode === 'hang-after' || mode === 'slow', mode)
    await control({ mode: 'ok' })
    assert.equal((await waiting).slice(0, 3), '200')
    assert.ok(logic.done.includes(mode))
  }
})

test('a call whose client gave up while the platform hung is never done; in mode late it still is', async () => {
  for (const [mode, isDone] of [
    ['hang', false],
    ['late', true],
  ] as const) {
    const { logic, simulator, control } = await started()
    await control({ mode })
    const giveUp = new AbortController()
    const waiting = fetch(`${simulator.baseUrl}/x`, { method: 'POST', body: mode, signal: giveUp.signal })
    await untilWaiting(simulator)
    giveUp.abort()
    await assert.rejects(waiting)
    // One more exchange, so that the server has seen the socket close.
    await fetch(`${simulator.controlUrl}/fault`)
    await control({ mode: 'ok' })
    assert.equal(logic.done.includes(mode), isDone)
  }
})

test('a fault can be kept to writes, to a path, to the second such call, and to so many calls', async () => {
  const { simulator } = await started()
  simulator.fault({ mode: '500', only: 'writes', path: '/x', skip: 1, times: 1 })
  assert.equal(await call(simulator, 'GET').then((text) => text.slice(0, 3)), '200')
  assert.equal(await call(simulator, 'POST', '1').then((text) => text.slice(0, 3)), '200')
  assert.equal((await fetch(`${simulator.baseUrl}/y`, { method: 'POST', body: '1' })).status, 200)
  assert.equal(await call(simulator, 'POST', '2').then((text) => text.slice(0, 3)), '500')
  assert.equal(await call(simulator, 'POST', '3').then((text) => text.slice(0, 3)), '200')
  assert.equal(simulator.faultCount, 1)
  simulator.fault({ mode: '500', only: 'reads' })
  assert.equal(await call(simulator, 'GET').then((text) => text.slice(0, 3)), '500')
  assert.equal(await call(simulator, 'POST', '4').then((text) => text.slice(0, 3)), '200')
})

test('429 and 503 carry the Retry-After that was asked for, sensible or not', async () => {
  const { simulator } = await started()
  for (const retryAfter of ['7', 'nonsense', '-1']) {
    for (const mode of ['429', '503'] as const) {
      simulator.fault({ mode, retryAfter })
      const answer = await fetch(`${simulator.baseUrl}/x`)
      assert.equal(answer.headers.get('retry-after'), retryAfter)
    }
  }
  simulator.fault({ mode: '429' })
  assert.equal((await fetch(`${simulator.baseUrl}/x`)).headers.get('retry-after'), null)
})

test('a made-up answer can be repeated, packed or in another charset, and come after the call was done', async () => {
  const { logic, simulator, control } = await started()
  const ask = () => fetch(`${simulator.baseUrl}/x`, { method: 'POST', body: 'asked' })
  await control({ mode: 'answer', body: 'ab', repeat: 1_000, bodyAs: 'gzip' })
  const packed = await ask()
  assert.equal(packed.headers.get('content-encoding'), 'gzip')
  assert.ok(Number(packed.headers.get('content-length')) < 100)
  assert.equal(await packed.text(), 'ab'.repeat(1_000))
  await control({ mode: 'answer', body: 'é', bodyAs: 'latin1' })
  assert.deepEqual(Buffer.from(await (await ask()).arrayBuffer()), Buffer.from([0xe9]))
  assert.deepEqual(logic.done, [])
  await control({ mode: 'answer', status: 502, isDone: true })
  assert.equal((await ask()).status, 502)
  assert.deepEqual(logic.done, ['asked'])
})

test('after so many calls nobody listens any more, until the simulator accepts calls again', async () => {
  const { simulator } = await started()
  await simulator.refuseAfter(2)
  const status = async () => (await call(simulator, 'GET')).slice(0, 3)
  assert.deepEqual([await status(), await status(), await status()], ['200', '200', 'clo'])
  await simulator.accept()
  assert.equal(await status(), '200')
  await simulator.refuseAfter(0)
  assert.equal(await status(), 'clo')
  await simulator.accept()
  assert.equal(await status(), '200')
})

test('a fault that is not understood is answered 400 and changes nothing', async () => {
  const { simulator, control } = await started()
  await control({ mode: '500' })
  for (const bad of [{ mode: 'sometimes' }, {}, 'down', { mode: 'slow', delayMs: -1 }, { mode: 'down', times: 0 }]) {
    assert.equal((await control(bad)).status, 400, JSON.stringify(bad))
  }
  assert.equal((await fetch(`${simulator.baseUrl}/x`)).status, 500)
  assert.equal((await fetch(`${simulator.controlUrl}/nothing`)).status, 404)
})

test('the calls are listed with method, path and status, 0 where the connection was closed, and can be forgotten', async () => {
  const { simulator } = await started()
  await fetch(`${simulator.baseUrl}/a%20b?x=1`)
  simulator.fault({ mode: 'down' })
  await call(simulator, 'POST', 'body')
  const listed = await (await fetch(`${simulator.controlUrl}/calls`)).json()
  assert.deepEqual(listed, {
    calls: [
      { method: 'GET', path: '/v2/a%20b?x=1', status: 200 },
      { method: 'POST', path: '/v2/x', status: 0 },
    ],
  })
  assert.equal(simulator.calls[1]?.requestBody, 'body')
  assert.match(simulator.calls[0]?.responseBody ?? '', /"path":"\/a b"/)
  assert.equal((await fetch(`${simulator.controlUrl}/reset`, { method: 'POST' })).status, 200)
  assert.equal(simulator.calls.length, 0)
  assert.equal((await fetch(`${simulator.baseUrl}/x`)).status, 200)
})

test('only so many calls are remembered, the last ones', async () => {
  const simulator = await startSimulator(counter(), { maxRecordedCalls: 3 })
  after(() => simulator.close())
  for (const name of ['1', '2', '3', '4', '5']) await fetch(`${simulator.baseUrl}/${name}`)
  assert.deepEqual(
    simulator.calls.map((recorded) => recorded.path),
    ['/v2/3', '/v2/4', '/v2/5'],
  )
})

test('the path is decoded, the raw path and query are as sent, and cookies are repeated headers', async () => {
  const { simulator } = await started('')
  const answer = await fetch(`${simulator.baseUrl}/a%2Bb?q=1%2B2+3&q=4`)
  assert.deepEqual(await answer.json(), {
    path: '/a+b',
    rawPath: '/a%2Bb?q=1%2B2+3&q=4',
    query: [
      ['q', '1+2 3'],
      ['q', '4'],
    ],
  })
  assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
})

test('outside the base path there is nothing, and a body beyond 5 MB is refused', async () => {
  const { simulator, logic } = await started()
  assert.equal((await fetch(simulator.baseUrl.replace('/v2', '/v3/x'))).status, 404)
  assert.equal((await fetch(`${simulator.baseUrl}x`)).status, 404)
  const large = await fetch(`${simulator.baseUrl}/x`, { method: 'POST', body: 'x'.repeat(5_000_001) })
  assert.equal(large.status, 413)
  assert.deepEqual(logic.done, [])
})

test('close ends calls that hang and leaves no socket', async () => {
  const simulator = await startSimulator(counter())
  simulator.fault({ mode: 'hang' })
  const hanging = call(simulator, 'GET')
  await untilWaiting(simulator)
  await simulator.close()
  assert.equal(await hanging, 'closed')
  const socket = connect(Number(new URL(simulator.controlUrl).port), '127.0.0.1')
  const [refused] = await once(socket, 'error')
  assert.equal(refused.code, 'ECONNREFUSED')
})
