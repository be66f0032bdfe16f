import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewAt } from '../platform-view.ts'
import { startReconcileWorld } from './reconcile-world.ts'

describe('RC 14 after the database is lost, pushing everybody again restores the links and makes no second account', () => {
  for (const platform of demoPlatforms) {
    test(platform, async (t) => {
      const world = await startReconcileWorld(t)
      const { sandbox, directory } = world.world
      const users = [aUser(), aUser(), aUser({ active: false })]
      const scim = () => world.world.scim(platform)
      for (const user of users) assert.equal((await scim().post('/Users', user)).status, 201)
      const { baseUrl, credentials } = sandbox[platform]
      const view = viewAt(platform, baseUrl, credentials, () => world.world.clock.now())
      const accounts = async () => Promise.all(users.map((user) => view.byEmail(emailOf(user))))
      const before = await accounts()
      await world.world.restart(() => {
        for (const end of ['', '-wal', '-shm']) rmSync(join(directory, `bridge.sqlite${end}`), { force: true })
      })
      const lost = await world.reconcile(platform, { isRepair: true, isRecreate: true })
      assert.equal(lost.walk.counts.unmatched, users.length, JSON.stringify(lost.walk.counts))
      for (const user of users) {
        const answer = await scim().post('/Users', user)
        assert.equal(answer.status, 201, answer.text)
      }
      assert.deepEqual(await accounts(), before)
      const { walk, findings } = await world.reconcile(platform)
      assert.equal(walk.counts.unmatched ?? 0, 0)
      const held = findings.filter(({ situation }) => situation === 'linked' || situation === 'drifted')
      assert.equal(held.length, users.length)
      // SelfCommunity's username has been made from the former id; it can never be renamed, and the mapping keeps it.
      for (const { attributes, remedy } of held) {
        assert.deepEqual(attributes, platform === 'selfcommunity' ? ['username'] : [])
        assert.equal(remedy, undefined)
      }
    })
  }
})
