import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse, stringify } from 'yaml'
import { schemaText } from '../../src/cli/mapping.ts'
import type { JsonObject } from '../../src/json.ts'
import { compare, createAttributes, toPlatform } from '../../src/mapping/evaluate.ts'
import { runExamples } from '../../src/mapping/examples.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { factsOf, mappingsFolder } from './platforms.ts'

const platforms = ['dspace', 'ethosce', 'figshare', 'openspecimen', 'selfcommunity']
const filesIn = (folder: string) => readdirSync(join(mappingsFolder, folder)).filter((name) => name.endsWith('.yaml'))
const files = [...filesIn('.'), ...filesIn('connections').map((name) => join('connections', name))]

const schema: object = JSON.parse(readFileSync(join(mappingsFolder, 'mapping.schema.json'), 'utf8'))
const fitsSchema = new Ajv2020({ strict: false }).compile(schema)

function read(file: string) {
  const loaded = readMappingFile(join(mappingsFolder, file), factsOf)
  const facts = factsOf(loaded.mapping.platform)
  assert.ok(facts)
  return { ...loaded, facts }
}

test('there is a file for every platform, and one for every connection of the demo', () => {
  assert.deepEqual(
    filesIn('.').sort(),
    platforms.map((name) => `${name}.yaml`),
  )
  assert.deepEqual(
    filesIn('connections').sort(),
    platforms.map((name) => `demo-${name}.yaml`),
  )
})

describe('every file', () => {
  for (const file of files) {
    test(`${file} loads with the facts of its platform, and its examples hold`, () => {
      const loaded = read(file)
      assert.ok(loaded.examples.length > 0)
      assert.deepEqual(
        runExamples(loaded, loaded.facts).filter(({ ok }) => !ok),
        [],
      )
    })

    test(`${file} is what editors are told to expect, and names the schema in its first line`, () => {
      const text = readFileSync(join(mappingsFolder, file), 'utf8')
      const way = file.startsWith('connections') ? '../' : './'
      assert.equal(text.split('\n')[0], `# yaml-language-server: $schema=${way}mapping.schema.json`)
      assert.ok(fitsSchema(parse(text)), JSON.stringify(fitsSchema.errors?.slice(0, 3)))
    })
  }
})

describe('the schema for editors', () => {
  test('is the one that the format makes: else run `scim-bridge mapping schema > mappings/mapping.schema.json`', () => {
    assert.equal(readFileSync(join(mappingsFolder, 'mapping.schema.json'), 'utf8'), schemaText())
  })

  const figshare = () => parse(readFileSync(join(mappingsFolder, 'figshare.yaml'), 'utf8'))
  test('refuses unknown keys, unknown transforms and a file without a life cycle', () => {
    assert.ok(fitsSchema(figshare()))
    const { user, ...rest } = figshare()
    assert.equal(fitsSchema({ ...rest, user: { ...user, macth: [] } }), false)
    assert.equal(fitsSchema({ ...rest, user: { ...user, lifecycle: undefined } }), false)
    const attributes = { ...user.attributes, job_title: { from: 'title', transform: ['lowercase'], empty: 'keep' } }
    assert.equal(fitsSchema({ ...rest, user: { ...user, attributes } }), false)
  })
})

test('the rule that the mapping of DSpace has as a comment loads in a file of one’s own', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-mappings-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = readFileSync(join(mappingsFolder, 'dspace.yaml'), 'utf8')
  const rule = /^ +# (netid: \{.*\}) +#/m.exec(text)?.[1]
  assert.ok(rule)
  const error = 'user.attributes.firstname: required value is missing (from name.givenName)'
  const examples = [{ name: 'no given name', scim: { userName: 'm@uni.example', name: { familyName: 'C' } }, error }]
  const own = { version: 1, platform: 'dspace', extends: '../dspace.yaml', user: { attributes: parse(rule) }, examples }
  mkdirSync(join(folder, 'connections'))
  writeFileSync(join(folder, 'dspace.yaml'), text)
  writeFileSync(join(folder, 'connections', 'own.yaml'), stringify(own))
  assert.ok(readMappingFile(join(folder, 'connections', 'own.yaml'), factsOf).mapping.rules.has('netid'))
})

describe('the demonstration', () => {
  const person: JsonObject = {
    id: '3f2c',
    userName: 'ada.lovelace',
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    emails: [{ value: 'Ada@uni.example', type: 'other' }],
    active: true,
  }
  const updates: readonly (readonly [string, JsonObject])[] = [
    ['another userName', { userName: 'countess' }],
    ['another e-mail address', { emails: [{ value: 'countess@uni.example', type: 'work' }] }],
    ['another externalId', { externalId: 'x-2' }],
    ['other names', { name: { givenName: 'Augusta', familyName: 'King' } }],
    [
      'a title, a time zone and an unknown organization',
      {
        title: 'Countess',
        timezone: 'Nowhere/At all',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { organization: 'Nowhere', department: 'None' },
      },
    ],
    ['no names', { name: {} }],
    ['no e-mail address', { emails: [] }],
  ]
  const ties = new Map<string, JsonObject>([
    ['figshare', { institution_user_id: 'ada.lovelace', email: 'ada@uni.example', is_active: true }],
    ['ethosce', { name: 'ada.lovelace', mail: 'ada@uni.example', authname: 'ada.lovelace', status: 1 }],
    ['openspecimen', { loginName: 'ada.lovelace', emailAddress: 'ada@uni.example', activityStatus: 'Active' }],
    ['selfcommunity', { ext_id: 'ada.lovelace', email: 'ada@uni.example', real_name: 'Ada Lovelace', status: 'a' }],
    ['dspace', { netid: 'ada.lovelace', email: 'ada@uni.example', canLogIn: true }],
  ])
  for (const platform of platforms) {
    const { mapping, facts } = read(join('connections', `demo-${platform}.yaml`))
    const wantedFor = (scim: JsonObject) => toPlatform(mapping, facts, scim, { activeDefault: true })

    test(`${platform} takes a person with userName, names and any e-mail address`, () => {
      const wanted = wantedFor(person)
      assert.deepEqual([...wanted.refusals, ...wanted.createRefusals], [])
      const account = createAttributes(mapping, wanted)
      for (const [name, value] of Object.entries(ties.get(platform) ?? {})) assert.equal(account.get(name), value, name)
    })

    for (const [name, update] of updates) {
      test(`${platform} takes an update with ${name}`, () => {
        const account = createAttributes(mapping, wantedFor(person))
        const wanted = wantedFor({ ...person, ...update })
        assert.deepEqual([...wanted.refusals, ...compare(mapping, facts, wanted, account).refusals], [])
      })
    }

    test(`${platform} refuses a new person without an e-mail address, even when the userName looks like one`, () => {
      const wanted = wantedFor({ ...person, userName: 'ada@uni.example', emails: [] })
      assert.equal([...wanted.refusals, ...wanted.createRefusals].length, 1)
      assert.match(String(wanted.createRefusals[0]?.message), /required value is missing \(from emails/)
    })
  }
})
