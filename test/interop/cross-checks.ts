/**
 * `node cross-checks.ts FOLDER`: our filters and patches against two libraries that know nothing of them, installed in
 * FOLDER. Where a library leaves RFC 7644, the case is not here. Prints one line for each, and one more for each difference.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts'
import { compileTest } from '../../src/scim/filter-compile.ts'
import { parseFilter } from '../../src/scim/filter-parse.ts'
import { applyPatch, parsePatch } from '../../src/scim/patch.ts'
import { compileSchemas } from '../../src/scim/schema.ts'

const [folder = '.'] = process.argv.slice(2)
const load = createRequire(join(folder, 'here.js'))
const theirs: {
  parse(text: string): unknown
  filter(tree: unknown): (document: JsonObject) => boolean
} = load('scim2-parse-filter')
const { scimPatch }: { scimPatch(document: JsonObject, operations: readonly JsonObject[]): JsonObject } =
  load('scim-patch')
const { user: schema } = compileSchemas()

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const core = 'urn:ietf:params:scim:schemas:core:2.0:User'

/** In small letters: scim2-parse-filter compares letter by letter, we as the schema says. */
const people: readonly JsonObject[] = [
  {
    schemas: [core, enterprise],
    userName: 'ada',
    title: 'countess',
    active: true,
    name: { givenName: 'ada', familyName: 'lovelace' },
    emails: [
      { value: 'ada@uni.example', type: 'work', primary: true },
      { value: 'ada@home.example', type: 'home' },
    ],
    [enterprise]: { department: 'mathematics' },
  },
  {
    schemas: [core],
    userName: 'grace',
    active: false,
    name: { givenName: 'grace', familyName: 'hopper' },
    emails: [{ value: 'grace@navy.example', type: 'work' }],
    phoneNumbers: [{ value: '1', type: 'work' }],
  },
  { schemas: [core], userName: 'emmy "n" (noether)', nickName: 'en', active: true },
]

const tests = [
  'userName eq "ada"',
  'userName ne "ada"',
  'userName co "a"',
  'userName sw "gr"',
  'userName ew "e"',
  'userName gt "b"',
  'userName ge "grace"',
  'userName lt "f"',
  'userName le "ada"',
  'userName eq "emmy \\"n\\" (noether)"',
  'title pr',
  'name.familyName eq "hopper"',
  'name pr',
  'active eq true',
  'active eq false',
  'emails.value co "@uni"',
  'emails[type eq "work" and value co "@navy"]',
  'emails[type eq "home"]',
  'phoneNumbers pr',
  `${enterprise}:department eq "mathematics"`,
]

/** Each test alone, and every two of them joined. Without `emails[not (…)]`, which the library does not ask of each value. */
function* filters(): Generator<string> {
  yield* tests
  for (const first of tests) {
    yield `not (${first})`
    for (const second of tests) {
      yield `${first} and ${second}`
      yield `${first} or ${second} and active eq true`
      yield `(${first} or not (${second})) and userName pr`
    }
  }
}

const patches: readonly (readonly JsonObject[])[] = [
  [{ op: 'replace', path: 'title', value: 'analyst' }],
  [{ op: 'add', path: 'nickName', value: 'al' }],
  [{ op: 'remove', path: 'title' }],
  [{ op: 'replace', value: { title: 'analyst', nickName: 'al' } }],
  [{ op: 'replace', path: 'name.familyName', value: 'byron' }],
  [{ op: 'remove', path: 'name.givenName' }],
  [{ op: 'add', path: 'emails', value: [{ value: 'ada@new.example', type: 'other' }] }],
  [{ op: 'replace', path: 'emails', value: [{ value: 'ada@new.example', type: 'other' }] }],
  [{ op: 'replace', path: 'emails[type eq "home"].value', value: 'ada@new.example' }],
  [{ op: 'remove', path: 'emails[type eq "home"]' }],
  [{ op: 'remove', path: 'emails' }],
  [{ op: 'replace', path: `${enterprise}:department`, value: 'physics' }],
  [{ op: 'replace', path: 'active', value: false }],
  [
    { op: 'add', path: 'emails', value: [{ value: 'ada@new.example', type: 'other' }] },
    { op: 'remove', path: 'emails[type eq "work"]' },
    { op: 'replace', path: 'emails[type eq "other"].value', value: 'ada@newer.example' },
  ],
]

function ourPatch(document: JsonObject, operations: readonly JsonObject[]): JsonObject {
  const message = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [...operations] }
  const options = { strict: true }
  return applyPatch(schema, document, parsePatch(schema, message, options), { ...options, id: 'u1' }).document
}

/** Without the order of names. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, part]): [string, Json] => [name, sorted(part)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

function report(name: string, checks: number, differences: readonly string[]): void {
  console.log(`${name}: ${checks} checks, ${differences.length} errors`)
  for (const difference of differences) console.log(`  ${difference}`)
  if (checks === 0 || differences.length > 0) process.exitCode = 1
}

const filterDifferences: string[] = []
let filterChecks = 0
for (const text of filters()) {
  const our = compileTest(parseFilter(text, schema))
  const their = theirs.filter(theirs.parse(text))
  for (const person of people) {
    filterChecks += 1
    const answers = [our(person), their(person)]
    if (answers[0] !== answers[1]) filterDifferences.push(`${text}, ${person.userName}: ${answers.join(', theirs ')}`)
  }
}
report('scim2-parse-filter', filterChecks, filterDifferences)

const patchDifferences: string[] = []
const [person = {}] = people
for (const operations of patches) {
  const our = sorted(ourPatch(structuredClone(person), operations))
  const their = sorted(scimPatch(structuredClone(person), structuredClone(operations)))
  if (!isDeepStrictEqual(our, their)) {
    patchDifferences.push(`${JSON.stringify(operations)}: ${JSON.stringify(our)}, theirs ${JSON.stringify(their)}`)
  }
}
report('scim-patch', patches.length, patchDifferences)
