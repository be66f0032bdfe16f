/** The drill: a backup beside a bridge that runs, a loss, a restore. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { storeCommand } from '../../src/cli/store.ts'
import { createLog } from '../../src/log.ts'
import { backupStore, restoreStore } from '../../src/store/backup.ts'
import { credentialFile, openCredentials } from '../../src/store/credentials.ts'
import { StoreInUse, StoreRefused } from '../../src/store/failures.ts'
import { NewerSchema } from '../../src/store/newer-schema.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { storeRows } from '../store-rows.ts'

describe('scim-bridge store backup and restore', () => {
  let world: BridgeWorld
  let file: string
  let folder: string
  before(async () => {
    world = await startBridgeWorld()
    file = join(world.directory, 'bridge.sqlite')
    folder = join(world.directory, 'backup')
  })
  after(() => world.stop())

  async function store(...words: string[]): Promise<string> {
    let text = ''
    const write = (piece: string) => {
      text += piece
    }
    const command = storeCommand({ write, tell: () => {}, environment: {}, clock: world.clock })
    await command.parseAsync([...words, '--config', join(world.directory, 'bridge.yaml')], { from: 'user' })
    return text
  }

  test('after the store was lost the bridge serves what it had at the time of the backup, and what came later is pushed again', async () => {
    const kept = aUser()
    const later = aUser()
    const made = await world.scim('dspace').post('/Users', kept).expect(201)
    const text = await store('backup', '--to', folder)
    assert.match(text, /^store\.sqlite: \d+ bytes, sha256 [0-9a-f]{64}$/m)
    assert.match(text, /^credentials\.sqlite: \d+ bytes/m)
    for (const name of ['store.sqlite', 'credentials.sqlite', 'backup.json']) {
      assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name)
    }
    await world.scim('dspace').post('/Users', later).expect(201)
    await world.restart(async () => {
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
      assert.match(await store('restore', '--from', folder), /bridge-credentials\.sqlite\.before-.* now$/m)
    })
    const scim = world.scim('dspace')
    await scim.get(`/Users/${made.body.id}`).expect(200)
    assert.equal((await scim.get('/Users').expect(200)).body.totalResults, 1)
    // The account is found on the platform, not made a second time.
    await scim.post('/Users', later).expect(201)
    assert.equal((await scim.get('/Users').expect(200)).body.totalResults, 2)
  })

  test('a backup ends, and is of one moment, though the store is written to all the time', async (t) => {
    const writer = new DatabaseSync(file)
    t.after(() => writer.close())
    // More than SQLite copies at a time.
    const keep = writer.prepare("insert into secret (connection, name, value) values ('of-the-test', ?, ?)")
    writer.exec('begin')
    for (let number = 0; number < 1_000; number += 1) keep.run(`filling ${number}`, 'x'.repeat(4_000))
    writer.exec('commit')
    let written = 0
    const write = () => {
      written += 1
      keep.run(`meanwhile ${written}`, '')
    }
    const writing = setInterval(write, 1)
    t.after(() => clearInterval(writing))
    const busy = join(world.directory, 'busy')
    const end = await Promise.race([store('backup', '--to', busy), sleep(10_000, 'it has not ended', { ref: false })])
    assert.match(end, /^store\.sqlite: \d+ bytes/m)
    assert.ok(written > 1, 'it was written to meanwhile')
    const copy = new DatabaseSync(join(busy, 'store.sqlite'), { readOnly: true })
    t.after(() => copy.close())
    assert.equal(copy.prepare("select count(*) as n from secret where name like 'filling%'").get()?.n, 1_000)
    writer.exec("delete from secret where connection = 'of-the-test'")
  })

  test('a store that a bridge has is not replaced', async () => {
    await assert.rejects(store('restore', '--from', folder), StoreInUse)
    await world.scim('dspace').get('/Users').expect(200)
  })

  test('a backup that cannot be copied to its place leaves the store where it is', async () => {
    await world.restart(async () => {
      const before = readdirSync(world.directory).sort()
      symlinkSync(join(world.directory, 'no-such-folder', 'store'), `${file}.restoring`)
      await assert.rejects(store('restore', '--from', folder), /ENOENT.*\.restoring/)
      assert.deepEqual(readdirSync(world.directory).sort(), before)
    })
    assert.equal((await world.scim('dspace').get('/Users').expect(200)).body.totalResults, 2)
  })

  test('a store that a bridge of a newer release has is not replaced either', async () => {
    const database = new DatabaseSync(file)
    database.exec('insert into migration (number, at) values (9999, 0)')
    await assert.rejects(store('restore', '--from', folder), StoreInUse)
    database.exec('delete from migration where number = 9999')
    database.close()
    await world.scim('dspace').get('/Users').expect(200)
  })

  test('a store that another program has locked is not replaced, and the message says so', async () => {
    await world.restart(async () => {
      const database = new DatabaseSync(file)
      database.exec('begin immediate')
      const location = { kind: 'sqlite', file } as const
      const surroundings = { clock: world.clock, log: createLog('silent'), lockWaitMs: 0 }
      await assert.rejects(restoreStore(folder, location, surroundings), /is locked by another program/)
      database.close()
    })
    await world.scim('dspace').get('/Users').expect(200)
  })

  test('a store of an older release is put aside as that release has left it, and serves it again', async () => {
    await world.restart(async () => {
      const asItWas = new DatabaseSync(file)
      // As if the release before had written it: the next start would make what is missing.
      asItWas.exec('delete from migration where number = (select max(number) from migration)')
      const schema = 'select group_concat(number) as numbers from migration'
      const expected = asItWas.prepare(schema).get()
      asItWas.close()
      const text = await store('restore', '--from', folder)
      const aside = new DatabaseSync(/what was there is (.*bridge\.sqlite\.before-.*) now/.exec(text)?.[1] ?? '')
      assert.deepEqual(aside.prepare(schema).get(), expected)
      aside.close()
    })
  })

  test('a damaged store is put aside, not removed', async () => {
    await world.restart(async () => {
      writeFileSync(file, 'x'.repeat(10_000))
      const text = await store('restore', '--from', folder)
      const aside = /what was there is (.*bridge\.sqlite\.before-.*) now/.exec(text)?.[1] ?? ''
      assert.ok(existsSync(aside))
      assert.equal(statSync(aside).size, 10_000)
    })
    assert.equal((await world.scim('dspace').get('/Users').expect(200)).body.totalResults, 1)
  })

  test('a backup that cannot be made leaves nothing in its folder, which may be named again', async () => {
    const again = join(world.directory, 'again')
    const location = { kind: 'sqlite', file: join(world.directory, 'damaged.sqlite') } as const
    writeFileSync(location.file, 'x'.repeat(10_000))
    await assert.rejects(backupStore(location, again, world.clock), /damaged.sqlite is not a SQLite database/)
    assert.deepEqual(readdirSync(again), [])
    await store('backup', '--to', again)
  })

  test('a folder that is not empty, not whole, changed, or of a newer release is refused, and the store stays', async () => {
    await assert.rejects(store('backup', '--to', folder), /is not empty/)
    await world.restart(async () => {
      await assert.rejects(store('restore', '--from', world.directory), /holds no whole backup/)
      const newer = join(world.directory, 'newer')
      await store('backup', '--to', newer)
      const list = { at: 'then', schema: 9999, files: [] }
      writeFileSync(join(newer, 'backup.json'), JSON.stringify(list))
      await assert.rejects(store('restore', '--from', newer), NewerSchema)
      appendFileSync(join(folder, 'store.sqlite'), 'x')
      await assert.rejects(store('restore', '--from', folder), (error) => {
        assert.ok(error instanceof StoreRefused)
        assert.match(error.message, /is not what was backed up/)
        return true
      })
    })
    assert.equal((await world.scim('dspace').get('/Users').expect(200)).body.totalResults, 1)
    openCredentials(credentialFile(file), { log: createLog('silent'), now: 0 }).close()
  })

  test('whoever was to be switched on at the time of the backup, and has left since, stays off, and the restore says so', async () => {
    const user = aUser()
    const { body } = await world.scim('dspace').post('/Users', user).expect(201)
    const path = `/Users/${body.id}`
    const active = (value: boolean) => [{ op: 'replace', path: 'active', value }]
    const isOn = () => world.sandbox.dspace.logic.state.byEmail(String(user.userName))?.canLogIn
    await world.scim('dspace').patch(path, active(false)).expect(200)
    world.sandbox.dspace.fault({ mode: 'down' })
    await world.scim('dspace').patch(path, active(true)).expect(429)
    const early = join(world.directory, 'early')
    await store('backup', '--to', early)
    world.sandbox.dspace.fault({ mode: 'ok' })
    const unfinished = () => storeRows(world.directory, 'select count(*) as n from operation')[0]?.n
    const finished = () =>
      eventually(
        'it is done',
        () => unfinished() === 0,
        () => world.clock.advance(1_000),
      )
    await finished()
    assert.equal(isOn(), true)
    await world.scim('dspace').patch(path, active(false)).expect(200)
    await world.restart(async () => {
      assert.match(
        await store('restore', '--from', early),
        /^1 person was to be on by work that was unfinished then; an account that is off stays off/m,
      )
    })
    await finished()
    assert.equal(isOn(), false)
    assert.equal((await world.scim('dspace').get(path)).body.active, false)
    await world.scim('dspace').patch(path, active(true)).expect(200)
    assert.equal(isOn(), true)
  })

  test('nobody else may read a backup while it is made, in a folder that is open to all', async () => {
    const open = join(world.directory, 'open')
    mkdirSync(open)
    chmodSync(open, 0o755)
    const copy = join(open, 'store.sqlite')
    const modes = new Set<number>()
    await world.stopped(async (database) => {
      // Of many steps: a small store is copied in one.
      database.exec("insert into secret (connection, name, value) values ('', 'large', hex(zeroblob(4000000)))")
      let isMade = false
      const made = store('backup', '--to', open).finally(() => {
        isMade = true
      })
      while (!isMade) {
        if (existsSync(copy)) modes.add(statSync(copy).mode & 0o777)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await made
    })
    assert.deepEqual([...modes], [0o600])
  })

  test('of PostgreSQL it says with what', async () => {
    const path = join(world.directory, 'other.yaml')
    const connections = {
      dspace: { platform: 'dspace', baseUrl: 'https://repository.uni.example/server', tokens: ['x'] },
    }
    const publicUrl = 'https://scim.uni.example'
    const settings = { user: 'scim', password: 'secret' }
    const text = stringify({
      publicUrl,
      allowLiteralSecrets: true,
      store: 'postgres://bridge@127.0.0.1/scim',
      connections: { dspace: { ...connections.dspace, settings } },
    })
    writeFileSync(path, text)
    const command = storeCommand({ write: () => {}, tell: () => {}, environment: {}, clock: world.clock })
    await assert.rejects(
      command.parseAsync(['backup', '--to', join(world.directory, 'no'), '--config', path], { from: 'user' }),
      /pg_dump and pg_restore: see docs\/store\.md/,
    )
  })
})
