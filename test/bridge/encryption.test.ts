/** A bridge whose store is encrypted: clients notice nothing, and the files say nothing. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { auditCommand } from '../../src/cli/audit.ts'
import { eraseCommand } from '../../src/cli/erase.ts'
import { newKey } from '../../src/store/sealing.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { aGroup, grantsSeen } from '../grants/grants-world.ts'
import { startReconcileWorld } from '../reconcile/reconcile-world.ts'
import { readable } from '../store/rekey-world.ts'

const platforms = ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const

/** A person all of whose values are like nobody else's. */
function aPerson(name: string) {
  return aUser({
    userName: `${name}.quibble@uni.example`,
    externalId: `00u-${name}-4711`,
    name: { givenName: `Giv${name}`, familyName: `Fam${name}` },
    displayName: `Disp ${name} Shown`,
    title: `Title${name}`,
    emails: [{ type: 'work', primary: true, value: `${name}.quibble@uni.example` }],
  })
}
const valuesOf = (name: string) => [
  `${name}.quibble`,
  `00u-${name}`,
  `giv${name}`,
  `fam${name}`,
  `disp ${name}`,
  `title${name}`,
]

test('through a whole life of people, groups, failures and walks the files of the store name nobody', async (t) => {
  const storeKey = newKey()
  const world = await startReconcileWorld(t, { storeKey })
  const file = join(world.world.directory, 'bridge.sqlite')
  const names = ['vrolik', 'zwammer', 'quaste', 'bleuler']
  const [kept, failing, leaver, byHand] = names.map(aPerson)
  assert.ok(kept !== undefined && failing !== undefined && leaver !== undefined && byHand !== undefined)

  for (const platform of platforms) {
    const { status, text } = await world.world.scim(platform).post('/Users', kept)
    assert.ok(status === 201 || status === 429, `${platform}: ${text}`)
  }
  const { scim } = world
  const found = await scim.get(`/Users?filter=${encodeURIComponent(`userName eq "${kept.userName}"`)}`).expect(200)
  const id = String(found.body.Resources[0].id)
  await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'Titlevrolik II' }]).expect(200)
  const group = aGroup('figshare-reviewers', id)
  await scim.post('/Groups', group).expect(201)
  assert.deepEqual(grantsSeen(world.world, 'figshare', emailOf(kept)), ['110:49'])

  const { body: gone } = await scim.post('/Users', leaver).expect(201)
  await scim.delete(`/Users/${gone.id}`).expect(204)
  const { body: changed } = await scim.post('/Users', byHand).expect(201)
  const account = world.account(byHand)
  assert.ok(account !== undefined)
  account.profile.last_name = 'Fambleuler II'
  world.fault({ mode: 'down' })
  await scim.post('/Users', failing).expect(429)
  await scim
    .patch(`/Users/${changed.id}`, [{ op: 'replace', path: 'name.givenName', value: 'Givbleuler II' }])
    .expect(429)
  // The files as they are while work waits, with the document before it.
  const values = names.flatMap(valuesOf)
  assert.deepEqual(readable(file, [...values, 'figshare-reviewers', storeKey]), [])

  world.heal()
  await world.finished()
  const { findings } = await world.reconcile('figshare', { isRepair: true })
  assert.ok(findings.length >= 3, JSON.stringify(findings))
  await world.finished()
  assert.deepEqual(readable(file, [...values, 'figshare-reviewers', storeKey]), [])
  await world.world.restart()
  assert.deepEqual(readable(file, [...values, 'figshare-reviewers', storeKey]), [])
  const { body } = await world.world.scim('figshare').get(`/Users/${id}`).expect(200)
  assert.equal(body.title, 'Titlevrolik II')
  assert.ok(!world.world.logLines.some((line) => line.includes(storeKey)))
})

test('names that are sealed are found whole, by how they begin, and in order', async (t) => {
  const { scim } = await startReconcileWorld(t, { storeKey: newKey() })
  const names = ['Carla', 'anton', 'Berta']
  for (const name of names) await scim.post('/Users', aPerson(name)).expect(201)
  const listed = async (query: string) => {
    const { body } = await scim.get(`/Users?${query}`).expect(200)
    return body.Resources.map(({ userName }: { userName: string }) => userName.split('.')[0])
  }
  const filter = (text: string) => `filter=${encodeURIComponent(text)}`
  assert.deepEqual(await listed('sortBy=userName'), ['anton', 'Berta', 'Carla'])
  assert.deepEqual(await listed('sortBy=displayName&sortOrder=descending'), ['Carla', 'Berta', 'anton'])
  assert.deepEqual(await listed('sortBy=externalId&count=2&cursor='), ['Berta', 'Carla'])
  assert.deepEqual(await listed(filter('userName sw "BER"')), ['Berta'])
  assert.deepEqual(await listed(filter('displayName sw "disp c"')), ['Carla'])
  assert.deepEqual(await listed(filter('externalId sw "00u-a"')), ['anton'])
  assert.deepEqual(await listed(filter('userName eq "CARLA.quibble@uni.example"')), ['Carla'])
  assert.deepEqual(await listed(filter('emails[type eq "work" and value eq "ANTON.quibble@uni.example"]')), ['anton'])
  assert.deepEqual(await listed(filter('userName co "ert"')), ['Berta'])
  await scim.post('/Users', { ...aPerson('x'), userName: 'CARLA.quibble@uni.example' }).expect(409)
})

test('a person is forgotten, and the audit is verified and exported, without a word about encryption', async (t) => {
  const storeKey = newKey()
  const { world, scim } = await startReconcileWorld(t, { storeKey })
  const user = aPerson('malte')
  const { body } = await scim.post('/Users', user).expect(201)
  await scim.delete(`/Users/${body.id}`).expect(204)
  const config = ['--config', join(world.directory, 'bridge.yaml')]
  let text = ''
  const write = (piece: string) => {
    text += piece
  }
  const output = { write, environment: {}, setExitCode: (code: number) => assert.equal(code, 0) }
  await world.stopped(async () => {
    const words = ['--connection', 'figshare', '--user', String(user.userName).toUpperCase(), ...config]
    await eraseCommand({ write, environment: {}, clock: world.clock }).parseAsync(words, { from: 'user' })
    await auditCommand(output).parseAsync(['verify', ...config], { from: 'user' })
    await auditCommand(output).parseAsync(['export', '--connection', 'figshare', ...config], { from: 'user' })
  })
  assert.match(text, /^erased: 1 user, and the subject of [1-9]\d* audit lines$/m)
  assert.match(text, /^figshare: \d+ lines, a person was erased from [1-9]\d* of them; nothing was changed$/m)
  assert.match(text, /"action":"erase"/)
})
