import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Broken, Refused, Unknown } from '../../src/errors.ts'
import type { Json } from '../../src/facts.ts'
import { runExamples } from '../../src/mapping/examples.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { templateOf } from '../../src/platforms/traced-exchange.ts'
import { contractSuite } from '../platforms/contract.ts'
import { aCall, nothingNamed } from '../platforms/world.ts'
import { bookroom } from './bookroom/bookroom.ts'
import { bookroomWorld, startBookroom } from './bookroom-world.ts'

contractSuite(bookroomWorld)

async function aSite(t: TestContext) {
  const world = await startBookroom()
  t.after(() => world.close())
  return { ...world, connection: world.connect() }
}

const ada = bookroomWorld.person('ada')

test('a create that Bookroom answers 500 is Unknown, sent once, and found afterwards', async (t) => {
  const { site, simulator, connection } = await aSite(t)
  site.knobs.welcomeFails = true
  await assert.rejects(connection.create(aCall(), ada), Unknown)
  assert.deepEqual(
    simulator.calls.map(({ method, status }) => `${method} ${status}`),
    ['POST 500'],
  )
  assert.equal((await connection.find(aCall(), 'email', 'ada@uni.example', ada)).length, 1)
})

test('a change that is answered 200 and not made is Broken, by its name', async (t) => {
  const { site, connection } = await aSite(t)
  const before = await connection.create(aCall(), ada)
  site.knobs.keepsNames = true
  await assert.rejects(
    connection.update(aCall(), before, bookroomWorld.change),
    (error) => error instanceof Broken && /name/.test(error.detail),
  )
})

test('somebody who leaves is switched off although the new address is taken', async (t) => {
  const { site, connection } = await aSite(t)
  site.add('bob@uni.example')
  const before = await connection.create(aCall(), ada)
  const leaving = new Map<string, Json>([
    ['email', 'bob@uni.example'],
    ['active', false],
  ])
  const after = await connection.update(aCall(), before, leaving)
  assert.equal(after.attributes.get('active'), false)
  assert.equal(after.attributes.get('email'), 'ada@uni.example')
})

test('roles given by hand survive, and nobody is made an administrator', async (t) => {
  const { site, connection } = await aSite(t)
  const id = String(site.add('ada@uni.example', ['volunteer']).id)
  const held = await connection.writeGrants(aCall(), id, [{ role: 'librarian' }], [])
  assert.deepEqual(held, [{ role: 'volunteer' }, { role: 'librarian' }])
  await assert.rejects(connection.writeGrants(aCall(), id, [{ role: 'admin' }], []), Refused)
})

test('a probe names the roles of the mapping that Bookroom does not have', async (t) => {
  const { connection } = await aSite(t)
  const steps = await connection.probe(aCall(), { ...nothingNamed, grants: [{ role: 'librarien' }] })
  assert.equal(steps.at(-1)?.seen, 'missing: librarien')
})

test('the mapping loads with these facts, and its examples hold', () => {
  const loaded = readMappingFile(join(import.meta.dirname, 'bookroom.yaml'), () => bookroom.facts)
  assert.equal(loaded.mapping.platform, 'bookroom')
  assert.deepEqual(
    runExamples(loaded, bookroom.facts).map(({ ok }) => ok),
    [true, true],
  )
})

test('traces show of a path what is no id and no name', () => {
  const paths = ['me', 'roles', 'patrons/7', 'patrons/7/roles'].map((path) => path.split('/'))
  assert.deepEqual(
    paths.map((path) => templateOf({ path }, bookroom.pathWords)),
    ['/me', '/roles', '/patrons/{}', '/patrons/{}/roles'],
  )
})

test('the simulator imports nothing but the types of simulators', () => {
  const text = readFileSync(join(import.meta.dirname, 'simulator.ts'), 'utf8')
  assert.deepEqual(
    [...text.matchAll(/^import (.*) from '(.*)'$/gm)].map(([, what = '', from]) => [what.startsWith('type '), from]),
    [[true, '../../src/sandbox/simulator.ts']],
  )
})
