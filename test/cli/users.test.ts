import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { resumeCommand, type UsersDependencies, usersCommand } from '../../src/cli/users.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'
import { aFolder, type Demo, startDemo } from './demo-process.ts'
import { scimBridge } from './processes.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const titled = (title: string) => [{ op: 'replace', path: 'title', value: title }]
const mailed = (email: string) => [{ op: 'replace', path: 'emails', value: [{ value: email, primary: true }] }]
const why = ['--why', 'a test', '--by', 'grace']

/** Time goes on until the command has ended. */
async function run(
  bridge: FigshareBridge,
  make: (dependencies: UsersDependencies) => ReturnType<typeof usersCommand>,
  ...words: string[]
) {
  let text = ''
  let exit = 0
  let hasEnded = false
  const progress: string[] = []
  const { clock } = bridge.world
  const output = {
    write: (piece: string) => {
      text += piece
    },
    progress: (piece: string) => {
      progress.push(piece)
    },
    setExitCode: (code: number) => {
      exit = code
    },
  }
  const place = ['--connection', 'figshare', '--config', join(bridge.world.directory, 'bridge.yaml')]
  const ended = make({ output, environment: {}, clock })
    .parseAsync([...words, ...place], { from: 'user' })
    .finally(() => {
      hasEnded = true
    })
  await Promise.all([
    ended,
    eventually(
      'the command has ended',
      () => hasEnded,
      () => clock.advance(500),
    ),
  ])
  return { text, exit, progress }
}
const users = (bridge: FigshareBridge, ...words: string[]) => run(bridge, usersCommand, ...words)

async function aFailure(bridge: FigshareBridge) {
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  await bridge.scim.patch(`/Users/${body.id}`, mailed(`new-${user.userName}`))
  await bridge.until(
    'it failed',
    async () => (await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state === 'failed',
  )
  return { id: String(body.id), user, account: bridge.account(user) }
}

describe('while the bridge runs', () => {
  test('a user is shown with what is asked for, the account, and the work that failed; the exit status says that something is left', async (t) => {
    const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
    const { id, user, account } = await aFailure(bridge)
    const { text, exit } = await users(bridge, 'show', String(user.userName).toUpperCase())
    assert.equal(exit, 3)
    assert.match(text, new RegExp(`^figshare: ${user.userName} \\(${id}\\)\n {2}asked for {3}active\n`))
    assert.match(text, new RegExp(`link {8}live, account ${account?.id}, last written or confirmed 20`))
    assert.match(text, /work {8}update, failed since .*, asked by token-1, 1 attempts\n +immutable: .*email/)
    const json = JSON.parse((await users(bridge, 'show', id, '--json')).text)
    assert.deepEqual(
      [json.connection, json.id, json.link, json.work.state, json.work.error],
      ['figshare', id, 'live', 'failed', 'immutable'],
    )
    const all = await users(bridge, 'show')
    assert.match(all.text, new RegExp(`^ {2}failed {2}update {2}${id} {2}immutable: `))
    assert.equal(all.exit, 3)
    assert.equal(JSON.parse((await users(bridge, 'show', '--json')).text).stopped[0].resourceId, id)
  })

  test('somebody with whom nothing is the matter is shown with exit status 0', async (t) => {
    const bridge = await startFigshareBridge(t)
    const { body } = await bridge.scim.post('/Users', aUser())
    const { text, exit } = await users(bridge, 'show', body.id)
    assert.match(text, /work {8}nothing is unfinished\n$/)
    assert.equal(exit, 0)
    assert.deepEqual(await users(bridge, 'show'), {
      text: 'figshare: no work failed, and none is held\n',
      exit: 0,
      progress: [],
    })
  })

  test('failed work is tried again, one and all of a cause, without a restart', async (t) => {
    const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
    const failures = [await aFailure(bridge), await aFailure(bridge), await aFailure(bridge)]
    for (const { account, user } of failures) {
      if (account !== undefined) bridge.world.sandbox.figshare.logic.state.setEmail(account, `new-${user.userName}`)
    }
    const one = await users(bridge, 'retry', String(failures[0]?.user.userName), ...why)
    assert.equal(one.text, 'figshare: it is tried again now\n')
    // Until it is done, it waits with the error of its last attempt, and would be one of them.
    await bridge.finished()
    const all = await users(bridge, 'retry', '--all', '--error', 'immutable', '--json', ...why)
    assert.deepEqual(JSON.parse(all.text), {
      connection: 'figshare',
      action: 'retry_cause',
      result: 'done',
      affected: 2,
      text: 'they are tried again now, at the pace of the connection',
    })
    await bridge.finished()
    assert.equal(bridge.row('select 1 from operation'), undefined)
  })

  test('what is refused ends with 1 and says what to do instead, also as JSON', async (t) => {
    const bridge = await startFigshareBridge(t)
    const { body } = await bridge.scim.post('/Users', aUser())
    await assert.rejects(
      users(bridge, 'release', body.id, ...why),
      /nothing is held for this user; to have failed work/,
    )
    const { text, exit } = await users(bridge, 'release', body.id, '--json', ...why)
    assert.equal(exit, 1)
    assert.deepEqual([JSON.parse(text).result, JSON.parse(text).user], ['refused', body.id])
    await assert.rejects(users(bridge, 'retry', 'nobody', ...why), /has no user with this id or userName/)
  })

  test('everything is written again while somebody watches how far it is', async (t) => {
    const bridge = await startFigshareBridge(t)
    const people = []
    for (let made = 0; made < 3; made += 1) {
      const user = aUser()
      await bridge.scim.post('/Users', user)
      people.push(bridge.account(user))
    }
    for (const account of people) if (account !== undefined) account.profile.last_name = 'By hand'
    const { text, progress } = await users(bridge, 'reapply', '--all', ...why)
    assert.equal(text, 'figshare: 3 accounts are written again\n')
    assert.ok(progress.includes('waiting for the running bridge'))
    await bridge.finished()
    assert.equal(people.filter((account) => account?.profile.last_name === 'By hand').length, 0)
  })

  test('calls that are suspended are resumed', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    bridge.fault({ mode: '401' })
    await bridge.scim.post('/Users', user)
    bridge.heal()
    assert.match((await run(bridge, resumeCommand, ...why)).text, /the platform is asked whether it is back/)
    await bridge.until('the account is there', () => bridge.account(user) !== undefined)
  })
})

describe('while no bridge runs', () => {
  test('what is decided is taken up by the next start', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    bridge.fault({ mode: 'down' })
    await bridge.scim.patch(`/Users/${body.id}`, titled('Countess'))
    await bridge.world.restart(async () => {
      bridge.heal()
      assert.match((await users(bridge, 'hold', body.id, ...why)).text, /\(no bridge runs: with its next start\)\n$/)
      assert.match((await users(bridge, 'show', body.id)).text, /work {8}update, held since/)
      assert.match((await users(bridge, 'release', body.id, ...why)).text, /the work on this user goes on now/)
      await assert.rejects(run(bridge, resumeCommand, ...why), /no bridge runs; its next start asks the platform/)
    })
    await bridge.finished()
    assert.equal(bridge.account(user)?.profile.job_title, 'Countess')
  })

  test('an account is let go of, and another one named, which the next start brings up to date', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    const right = bridge.world.sandbox.figshare.logic.addAccount({
      email: 'right@uni.example',
      institution_user_id: String(user.userName),
      last_name: 'Older',
    })
    await bridge.world.restart(async () => {
      await users(bridge, 'unlink', body.id, ...why)
      const letGo = await users(bridge, 'show', body.id)
      assert.match(letGo.text, new RegExp(`link {8}let go, account ${bridge.account(user)?.id}`))
      assert.equal(letGo.exit, 3)
      const { text } = await users(bridge, 'adopt', body.id, '--account', String(right.id), ...why)
      assert.match(text, /the account is linked, and is brought to what is stored now/)
    })
    await bridge.until('it is written', () => right.profile.first_name === 'Ada')
  })

  test('writing everything again is kept for the next start', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    await bridge.world.restart(async () => {
      account.profile.last_name = 'By hand'
      const { text } = await users(bridge, 'reapply', '--all', ...why)
      assert.equal(text, 'figshare: no bridge runs; it begins with its next start\n')
    })
    await bridge.until('it is written', () => account.profile.last_name !== 'By hand')
  })

  test('writing everything again is cancelled beside the bridge and without one', async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    await assert.rejects(
      users(bridge, 'reapply', '--all', '--cancel', ...why),
      /nobody writes all users of figshare again/,
    )
    await bridge.world.restart(async () => {
      account.profile.last_name = 'By hand'
      await users(bridge, 'reapply', '--all', ...why)
      const { text } = await users(bridge, 'reapply', '--all', '--cancel', ...why)
      assert.equal(text, 'figshare: no more accounts are put in line; what is in line already is written\n')
    })
    await bridge.finished()
    bridge.world.clock.advance(5_000)
    assert.equal(account.profile.last_name, 'By hand')
  })

  test('a departure is not let go of without force', async (t) => {
    const bridge = await startFigshareBridge(t)
    const { body } = await bridge.scim.post('/Users', aUser())
    bridge.fault({ mode: 'down' })
    await bridge.scim.patch(`/Users/${body.id}`, off)
    await bridge.world.restart(async () => {
      await assert.rejects(users(bridge, 'unlink', body.id, ...why), /was to be switched off, which is not done/)
      assert.match(
        (await users(bridge, 'unlink', body.id, '--force', ...why)).text,
        /is no longer written for this user/,
      )
    })
  })
})

describe('the program itself', () => {
  const folder = aFolder()
  let demo: Demo
  before(async () => {
    demo = await startDemo(['--state', folder.path, '--seed-users', '250'])
  })
  after(async () => {
    await demo.stop()
    folder.remove()
  })
  const place = () => ['--connection', 'figshare', '--config', join(folder.path, 'bridge.yaml')]

  test('asks the running bridge, which does it', async () => {
    const { status, stdout, stderr } = await scimBridge(['users', 'reapply', '--all', '--why', 'a test', ...place()])
    assert.equal(stdout, 'figshare: 250 accounts are written again\n', stderr)
    assert.deepEqual([status, stderr], [0, ''])
    const shown = await scimBridge(['users', 'show', 'seed7@example.org', ...place(), '--json'])
    assert.equal(JSON.parse(shown.stdout).userName, 'seed7@example.org')
    const refused = await scimBridge(['users', 'retry', 'nobody', '--why', 'a test', ...place()])
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /^scim-bridge: connection figshare has no user with this id or userName\n$/)
  })
})
