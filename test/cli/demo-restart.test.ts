import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { aUser } from '../bridge-world.ts'
import { addressesOf, aFolder, type Demo, fault, listed, patchOf, scim, startDemo, viewOfDemo } from './demo-process.ts'
import { answers, descendantsOf, isAlive, type Running, start, within } from './processes.ts'

/** What the documents promise for work that was put off. */
const healedWithinMs = 30_000

const folder = aFolder()
const configuration = join(folder.path, 'bridge.yaml')
let demo: Demo
let bridge: Running
before(async () => {
  demo = await startDemo(['--token', 'a-token-for-all-of-them', '--state', folder.path, '--simulators-only'])
})
after(async () => {
  await endBridge('SIGTERM')
  await demo.stop()
  folder.remove()
})

/** `npm start`, as the person does who was told to. */
async function startBridge(): Promise<void> {
  bridge = start('npm', ['--silent', 'start', '--', '--config', configuration])
  await within(20_000, `the bridge is ready: ${bridge.stderr()}`, () => answers(`${demo.ready.bridge}/readyz`))
}

async function endBridge(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  const [listener] = descendantsOf(bridge.child.pid ?? 0).filter((pid) => isBridge(pid))
  if (listener !== undefined) process.kill(listener, signal)
  return (await bridge.ended).status
}

function isBridge(pid: number): boolean {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  return words.includes('serve') && words[0] !== 'sh'
}

test('--simulators-only starts the platforms and no bridge, but says where it will be', async () => {
  assert.equal(demo.ready.bridge, `http://127.0.0.1:${demo.port}`)
  const [bridgeAddress, ...platformAddresses] = addressesOf(demo.ready)
  assert.equal(await answers(bridgeAddress ?? ''), false)
  for (const address of platformAddresses) assert.equal(await answers(address), true, address)
  await startBridge()
  for (const platform of demoPlatforms) {
    const { status } = await scim(demo.ready.connections[platform], 'GET', '/Users')
    assert.equal(status, 200, platform)
  }
})

test('after kill -9 the same configuration goes on: everybody is there, and a leaver of meanwhile is switched off', async () => {
  const people = new Map(demoPlatforms.map((platform) => [platform, aUser()]))
  const paths = new Map<string, string>()
  for (const [platform, user] of people) {
    const created = await scim(demo.ready.connections[platform], 'POST', '/Users', user)
    assert.equal(created.status, 201)
    paths.set(platform, `/Users/${created.body.id}`)
    await fault(demo.ready.connections[platform], { mode: 'down' })
    const left = await scim(
      demo.ready.connections[platform],
      'PATCH',
      paths.get(platform) ?? '',
      patchOf({ active: false }),
    )
    assert.equal(left.status, 429)
    assert.match(left.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  }
  await endBridge('SIGKILL')
  assert.equal(await answers(`${demo.ready.bridge}/livez`), false)
  assert.ok(isAlive(demo.ready.pid))

  await startBridge()
  for (const [platform, user] of people) {
    const shown = await scim(demo.ready.connections[platform], 'GET', paths.get(platform) ?? '')
    assert.equal(shown.status, 200)
    assert.equal(shown.body.active, false)
    assert.equal(shown.body.userName, user.userName)
  }
  const before = Date.now()
  for (const platform of demoPlatforms) await fault(demo.ready.connections[platform], { mode: 'ok' })
  for (const [platform, user] of people) {
    const isOff = async () => {
      const accounts = await viewOfDemo(demo.ready, platform).byEmail(String(user.userName))
      assert.equal(accounts.length, 1, 'never a second account')
      return accounts[0]?.isOn === false
    }
    await within(before + healedWithinMs - Date.now(), `${platform} switched the leaver off`, isOff)
  }
})

test('a create of a person who is there already is 409 after all of that, and lists have everybody once', async () => {
  const { figshare } = demo.ready.connections
  const [person, ...others] = listed(await scim(figshare, 'GET', '/Users'))
  assert.deepEqual(others, [])
  const again = await scim(figshare, 'POST', '/Users', aUser({ userName: String(person?.userName).toUpperCase() }))
  assert.equal(again.status, 409)
})

test('SIGTERM ends a bridge under npm start with status 0, and the platforms stay', async () => {
  assert.equal(await endBridge('SIGTERM'), 0)
  const [bridgeAddress, ...platformAddresses] = addressesOf(demo.ready)
  assert.equal(await answers(bridgeAddress ?? ''), false)
  for (const address of platformAddresses) assert.equal(await answers(address), true, address)
})

test('SIGTERM to npm itself leaves no bridge behind', async () => {
  await startBridge()
  bridge.child.kill('SIGTERM')
  await bridge.ended
  await within(5_000, 'the bridge has ended', async () => !(await answers(`${demo.ready.bridge}/livez`)))
})
