import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { seedPeople } from '../../src/cli/seed.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'

const platforms = ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const
const basePaths = {
  figshare: '/v2',
  ethosce: '',
  openspecimen: '/openspecimen/rest/ng',
  selfcommunity: '',
  dspace: '/server',
}

test('the sandbox starts five platforms on ports of their own, each with control and credentials, and seeds Figshare', async () => {
  const person = {
    userName: 'seed0@example.org',
    email: 'seed0@example.org',
    givenName: 'Seed',
    familyName: 'Zero',
    title: 'Professor',
    department: 'Chemistry',
  }
  const sandbox = await startSandbox({ seedUsers: [person] })
  try {
    const origins = new Set<string>()
    for (const platform of platforms) {
      const { baseUrl, controlUrl, credentials } = sandbox[platform]
      const { origin, pathname } = new URL(baseUrl)
      assert.equal(pathname.replace(/\/$/, ''), basePaths[platform])
      assert.equal(controlUrl, `${origin}/__sim`)
      assert.ok(Object.keys(credentials).length > 0)
      assert.equal((await fetch(`${controlUrl}/fault`)).status, 200)
      origins.add(origin)
    }
    assert.equal(origins.size, 5)
    const [id] = sandbox.figshareAccountIds
    const account = await fetch(`${sandbox.figshare.baseUrl}/account/institution/accounts/${id}`, {
      headers: { authorization: `token ${sandbox.figshare.credentials.token}` },
    })
    assert.match(
      await account.text(),
      /"email":"seed0@example.org".*"institution_user_id":"seed0@example.org".*"group_id":102/,
    )
  } finally {
    await sandbox.close()
  }
})

test('a mode set on one platform is counted there and leaves the others alone', async () => {
  const sandbox = await startSandbox()
  try {
    sandbox.figshare.fault({ mode: '500' })
    assert.equal((await fetch(`${sandbox.figshare.baseUrl}/account`)).status, 500)
    assert.equal((await fetch(`${sandbox.ethosce.baseUrl}/user.json`)).status, 403)
    assert.deepEqual([sandbox.figshare.faultCount, sandbox.ethosce.faultCount], [1, 0])
  } finally {
    await sandbox.close()
  }
})

test('when a port is taken the sandbox does not start, and nothing stays running', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const portOf = (server: typeof taken) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  const figshare = portOf(free)
  await new Promise((resolve) => free.close(resolve))
  await assert.rejects(startSandbox({ ports: { figshare, dspace: portOf(taken) } }), /EADDRINUSE/)
  await assert.rejects(fetch(`http://127.0.0.1:${figshare}/v2/account`))
  await new Promise((resolve) => taken.close(resolve))
})

test('accounts of a later sandbox can be given ids that an earlier one did not give', async (t) => {
  const ids = async (skippedIds: number) => {
    const sandbox = await startSandbox({ seedUsers: seedPeople(1), skippedIds })
    t.after(sandbox.close)
    return {
      figshare: sandbox.figshareAccountIds[0],
      ethosce: sandbox.ethosce.logic.addUser({ name: 'ada', mail: 'ada@uni.example', status: 1, roles: [] }).uid,
      openspecimen: sandbox.openspecimen.logic.addUser({ loginName: 'ada' }).id,
      selfcommunity: sandbox.selfcommunity.logic.addUser({ username: 'ada' }).id,
    }
  }
  const earlier = await ids(0)
  const later = await ids(5_000)
  for (const [platform, id] of Object.entries(earlier)) {
    assert.equal(Object.entries(later).find(([name]) => name === platform)?.[1], Number(id) + 5_000, platform)
  }
})
