/** A store with something in every column that holds values of people, and a look at its bare files. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import type { Rekeyed } from '../../src/store/rekey.ts'
import type { KeysOfDocument } from '../../src/store/rekey-rows.ts'
import { createSealer, newKey, plainSealer, type Sealer } from '../../src/store/sealing.ts'
import type { Store } from '../../src/store/store.ts'
import { aGroup, aLink, anOperation, aUser, now } from './builders.ts'

/** Each names somebody, or something of somebody, and is nowhere else. */
export const secrets = [
  ...['ada', 'bob', 'cleo'].map((name) => `${name}.lovelace@uni.example`),
  ...[
    'employee-4711',
    'Augusta Ada',
    'Readers of Byron',
    'Countess',
    'reviewer-of-ada',
    'before-ada',
    'ada is refused',
  ],
  ...['platform-readers', 'watched-cleo', 'done to ada', 'matched-ada'],
]
const [ada = '', bob = '', cleo = ''] = secrets

export const keysOf: KeysOfDocument = (_type, json) => {
  const { userName, displayName, externalId, emails } = JSON.parse(json)
  return {
    ...(userName === undefined ? {} : { userName }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(emails === undefined ? {} : { emails }),
  }
}

function aPerson(id: string, userName: string, more: object = {}) {
  const document = { id, userName, emails: [{ value: userName, type: 'work' }], ...more }
  const json = JSON.stringify(document)
  return aUser(id, { json, keys: keysOf('User', json) })
}

export async function fill(store: Store): Promise<void> {
  await store.transaction(async (write) => {
    await write.insertResource('okta', aPerson('a', ada, { displayName: 'Augusta Ada', externalId: 'employee-4711' }))
    await write.insertResource('okta', aPerson('b', bob))
    await write.insertResource('entra', aPerson('a', ada))
    const group = { keys: { displayName: 'Readers of Byron', externalId: 'readers' } }
    await write.insertResource('okta', aGroup('g', group))
    await write.addMembers('okta', 'g', ['a', 'b'])
    await write.putGroupLink({
      ...{ connection: 'okta', resourceId: 'g', state: 'live', groupId: '7' },
      ...{ name: 'platform-readers', wasCreated: true, deletedAt: undefined },
    })
    await write.putLink(
      aLink('okta', 'a', {
        applied: { title: 'Countess' },
        userName: ada,
        externalId: 'employee-4711',
        grants: [{ key: 'k', grant: { role: 'reviewer-of-ada' }, origin: 'given' }],
      }),
    )
    await write.putLink(aLink('okta', 'c', { state: 'tombstone', userName: cleo, deletedAt: now }))
    const id = await write.putOperation('okta', anOperation('a', { before: '{"nickName":"before-ada"}' }))
    await write.updateOperation('okta', id, { errorKind: 'refused', errorMessage: 'ada is refused', state: 'failed' })
    await write.putWatch('okta', { resourceId: 'c', document: '{"nickName":"watched-cleo"}', nextAt: 1, endsAt: 2 })
    for (const isLast of [false, true]) {
      const wish = { purpose: 'reconcile', isRepair: false, isRecreate: false, isDryRun: false } as const
      const walk = await write.addWalk('okta', { ...wish, caller: 'test', askedAt: 0 })
      await write.putFinding('okta', walk, {
        ...{ accountId: '1', situation: 'drifted', resourceId: 'a', attributes: ['title'], remedy: 'write' },
        ...{ otherAccounts: [], otherResources: [], done: 'done to ada' },
      })
      await write.putMatchKey('okta', walk, 'matched-ada', 'a')
      const stored = await write.getWalk('okta', walk)
      if (stored === undefined) throw new Error('no such walk')
      await write.updateWalk({ ...stored, phase: isLast ? 'absent' : 'finished', place: isLast ? 'a' : undefined })
    }
  })
}

/** Everything that the store has told of, as its callers see it. */
export async function told(store: Store): Promise<unknown> {
  const found = (attribute: 'userName' | 'displayName' | 'externalId' | 'email', equals: string) =>
    store
      .list('okta', { type: 'User', where: { attribute, equals }, limit: 9 })
      .then((rows) => rows.map(({ id }) => id))
  return {
    users: [await store.getUser('okta', 'a'), await store.getUser('okta', 'b'), await store.getUser('entra', 'a')],
    members: await store.members('okta', 'g'),
    memberships: await store.membershipsOf('okta', ['a', 'b']),
    links: [await store.getLink('okta', 'a'), await store.getLink('okta', 'c'), await store.groupLinks('okta')],
    operation: await store.getOperation('okta', 'a'),
    watches: await store.dueWatches('okta', 9, 9),
    findings: await store.findings('okta', 1, { afterAccount: '', limit: 9 }),
    found: [
      await found('userName', ada.toUpperCase()),
      await found('displayName', 'augusta ada'),
      await found('externalId', 'employee-4711'),
      await found('email', bob.toUpperCase()),
    ],
    group: await store.list('okta', {
      type: 'Group',
      where: { attribute: 'displayName', equals: 'readers of byron' },
      limit: 9,
    }),
  }
}

/** A store that nobody has open, in the words of the tests. */
export interface RekeyedPlace {
  rekey(to: Sealer, known: readonly Sealer[]): Promise<Rekeyed>
  /** Those of the texts that its files hold; without any: of all that names somebody. */
  readable(texts?: readonly string[]): readonly string[] | Promise<readonly string[]>
  open(sealer: Sealer): Promise<unknown>
  /** It is opened with this one, and tells what it has told before. */
  assertTells(sealer: Sealer): Promise<void>
}

/** From none to a key, to another one, and back to none. */
export async function assertGoesThroughKeys(place: RekeyedPlace): Promise<void> {
  const [one, other] = [createSealer(newKey()), createSealer(newKey())]
  assert.deepEqual(await place.readable(), secrets)
  const first = await place.rekey(one, [one])
  assert.deepEqual({ ...first, rows: 0 }, { from: undefined, to: one.keyId, rows: 0, verified: first.rows })
  assert.deepEqual(await place.readable(), [], 'not in rows that are no more, nor in an index')
  await place.assertTells(one)
  const second = await place.rekey(other, [other, one])
  assert.deepEqual([second.from, second.to, second.verified], [one.keyId, other.keyId, second.rows])
  assert.deepEqual(await place.readable([`sealed:1:${one.keyId}`]), [])
  await assert.rejects(place.open(one), /is encrypted with the key/)
  await place.assertTells(other)
  const third = await place.rekey(plainSealer, [other])
  assert.deepEqual([third.from, third.to], [other.keyId, undefined])
  await place.assertTells(plainSealer)
  const nothing = await place.rekey(plainSealer, [])
  assert.deepEqual([nothing.rows, nothing.verified], [0, third.verified])
}

/** Those of the texts that the store's files hold, in either letter case of the keys. */
export function readable(file: string, texts: readonly string[] = secrets): string[] {
  const bytes = [file, `${file}-wal`, `${file}-journal`]
    .filter((name) => existsSync(name))
    .map((name) => readFileSync(name).toString('utf8'))
  const folded = bytes.map((text) => text.toLowerCase())
  return texts.filter((text) => folded.some((content) => content.includes(text.toLowerCase())))
}
