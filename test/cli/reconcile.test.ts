import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Command } from 'commander'
import type { Output } from '../../src/cli/output.ts'
import { importCommand, reconcileCommand } from '../../src/cli/reconcile.ts'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'
import { aFolder, type Demo, startDemo } from './demo-process.ts'
import { scimBridge } from './processes.ts'

async function run(make: (output: Output) => Command, bridge: FigshareBridge, ...words: string[]) {
  let text = ''
  let exit = 0
  const command = make({
    write: (piece) => {
      text += piece
    },
    progress: () => {},
    setExitCode: (code) => {
      exit = code
    },
  })
  const config = join(bridge.world.directory, 'bridge.yaml')
  await command.parseAsync(['--connection', 'figshare', '--config', config, ...words], { from: 'user' })
  return { text, exit }
}

describe('while no bridge runs', () => {
  test('a report says what differs, ends with 3, and calls nothing but reads', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    account.profile.last_name = 'By hand'
    await bridge.world.restart(async () => {
      bridge.world.sandbox.figshare.forgetCalls()
      const { text, exit } = await run(reconcileCommand, bridge)
      assert.equal(exit, 3)
      assert.equal(
        text,
        'figshare: 2 accounts; 1 drifted, 1 protected\n' +
          `  drifted    account ${account.id}; user ${body.id}; differs in last_name\n`,
      )
      assert.deepEqual([...new Set(bridge.world.sandbox.figshare.calls.map(({ method }) => method))], ['GET'])
    })
  })

  test('a repair is made before the command ends, and then nothing differs', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    account.profile.last_name = 'By hand'
    await bridge.world.restart(async () => {
      const repaired = await run(reconcileCommand, bridge, '--repair')
      assert.match(repaired.text, /differs in last_name; asked\n$/)
      assert.equal(repaired.exit, 0)
      assert.notEqual(account.profile.last_name, 'By hand')
      const { text, exit } = await run(reconcileCommand, bridge)
      assert.deepEqual([text, exit], ['figshare: 2 accounts; 1 linked, 1 protected\n', 0])
    })
  })

  test('JSON has the counts and every row, and no value of a person', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    bridge.world.sandbox.figshare.logic.removeAccount(Number(bridge.account(user)?.id))
    await bridge.world.restart(async () => {
      const { text, exit } = await run(reconcileCommand, bridge, '--json')
      const report = JSON.parse(text)
      assert.deepEqual([report.connection, report.counts], ['figshare', { deleted: 1, protected: 1 }])
      assert.deepEqual([report.findings[0].situation, report.findings[0].resourceId], ['deleted', body.id])
      assert.equal(text.includes('uni.example'), false)
      assert.equal(exit, 3)
    })
  })

  test('an import tells whom it made a user of, and whom not and why', async (t) => {
    const bridge = await startFigshareBridge(t)
    const { logic } = bridge.world.sandbox.figshare
    logic.addAccount({ email: 'ada@uni.example', institution_user_id: 'ada', last_name: 'Lovelace' })
    logic.addAccount({ email: 'nameless@uni.example', institution_user_id: '', last_name: 'X' })
    await bridge.world.restart(async () => {
      const dry = await run(importCommand, bridge, '--dry-run')
      assert.match(dry.text, /would be imported/)
      const { text, exit } = await run(importCommand, bridge)
      assert.match(text, /^figshare: 3 accounts; 1 protected, 2 unmatched\n/)
      assert.match(text, / {2}unmatched {2}account \d+; user [0-9a-f-]+; imported\n/)
      assert.match(text, /refused: the mapping reads no userName out of it/)
      assert.equal(exit, 3)
    })
    assert.equal((await bridge.world.scim('figshare').get('/Users')).body.totalResults, 1)
  })

  test('a platform that is away ends the command with the reason, and the next one goes on', async (t) => {
    const bridge = await startFigshareBridge(t)
    await bridge.scim.post('/Users', aUser())
    await bridge.world.restart(async () => {
      bridge.fault({ mode: 'down' })
      await assert.rejects(
        run(reconcileCommand, bridge),
        /the walk has stopped after 0 accounts \(un\w+\): run the command/,
      )
      bridge.heal()
      assert.equal((await run(reconcileCommand, bridge)).exit, 0)
      assert.equal(bridge.row('select max(number) as n from walk')?.n, 1)
    })
  })
})

describe('while the bridge runs', () => {
  const folder = aFolder()
  let demo: Demo
  before(async () => {
    demo = await startDemo(['--state', folder.path, '--seed-users', '30'])
  })
  after(async () => {
    await demo.stop()
    folder.remove()
  })
  const place = () => ['--connection', 'figshare', '--config', join(folder.path, 'bridge.yaml')]

  test('the command asks it, and reports what it found', async () => {
    const { status, stdout, stderr } = await scimBridge(['reconcile', ...place()])
    assert.equal(stdout, 'figshare: 31 accounts; 30 linked, 1 protected\n', stderr)
    assert.equal(status, 0)
    assert.equal(stderr, '')
  })

  test('an import finds nobody new', async () => {
    const { status, stdout } = await scimBridge(['import', ...place(), '--json'])
    assert.deepEqual(JSON.parse(stdout).findings, [])
    assert.equal(status, 0)
  })
})

test('a file that cannot be read ends the command with 1, and wrong usage with 2', async () => {
  const folder = aFolder()
  const { status, stderr } = await scimBridge([
    'reconcile',
    '--connection',
    'x',
    '--config',
    join(folder.path, 'no.yaml'),
  ])
  folder.remove()
  assert.equal(status, 1)
  assert.match(stderr, /cannot be read/)
  assert.equal((await scimBridge(['reconcile'])).status, 2)
})
