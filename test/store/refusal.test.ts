import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { storeFindings } from '../../src/cli/check-findings.ts'
import { backupStore } from '../../src/store/backup.ts'
import { openBeside } from '../../src/store/beside.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { inspectStore } from '../../src/store/inspect.ts'
import { openAudit } from '../../src/store/open-audit.ts'
import { aClock, aFile } from './places.ts'

/** How commands open a store that they do not own. */
const commands = {
  'users show': (file: string) => openBeside({ kind: 'sqlite', file }, aClock()),
  'audit verify': (file: string) => openAudit({ file }),
  'store backup': (file: string) => backupStore({ kind: 'sqlite', file }, join(dirname(file), 'backup'), aClock()),
}

for (const [command, open] of Object.entries(commands)) {
  test(`${command} names the file that it cannot open, and says what to do`, async (t) => {
    const [closed, foreign] = [aFile(t), aFile(t)]
    // A socket is opened no more than a file that one has no right to; root has every right.
    const socket = createServer().listen(closed)
    t.after(() => socket.close())
    await once(socket, 'listening')
    await assert.rejects(
      async () => open(closed),
      new StoreRefused(`${closed} cannot be opened: give the bridge's user the right to write it and its folder`),
    )
    writeFileSync(foreign, 'no database at all, but long enough to be looked at as one')
    await assert.rejects(
      async () => open(foreign),
      new StoreRefused(`${foreign} is not a SQLite database: name another file, or restore a backup of the store`),
    )
  })
}

test('a backup whose folder cannot be made says so', async (t) => {
  const file = aFile(t)
  writeFileSync(file, '')
  const folder = join(file, 'backup')
  await assert.rejects(
    backupStore({ kind: 'sqlite', file }, folder, aClock()),
    new StoreRefused(`${folder} cannot be made (ENOTDIR): name a folder that this user may make and write`),
  )
})

test('nobody is told to restore a backup because a store is locked', (t) => {
  const file = aFile(t)
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('create table migration (number integer); begin exclusive')
  const found = storeFindings(inspectStore({ kind: 'sqlite', file }, aClock().now())).find(
    ({ name }) => name === 'version',
  )
  assert.equal(found?.seen, `${file} cannot be looked at`)
  assert.equal(
    found?.remedy,
    "run the check as the bridge's user; if it is that already, end the program that has locked the file",
  )
})
