import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../src/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts'
import { userUrn } from '../../src/scim/attribute.ts'
import { compileFilter, compileTest } from '../../src/scim/filter-compile.ts'
import { parseFilter } from '../../src/scim/filter-parse.ts'
import { printFilter } from '../../src/scim/filter-tree.ts'
import type { IndexedCondition } from '../../src/store/queries.ts'
import { badgesUrn, schemas } from './filter-world.ts'

/** A filter of the model: how it is written, and what it says, worked out the slow and plain way. */
interface Model {
  readonly text: string
  readonly says: (user: JsonObject) => boolean
}

const words = ['', 'a', 'A', 'ab', 'aB', 'b', 'ÄB', 'äb', ' ', '(', 'x"y', '\\', 'True']
const word = fc.constantFrom(...words)
const times = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z', '2026-01-01T00:00:00.002Z']
const wantedTimes = [...times, '2026-01-01T01:00:00.0010000+01:00', '2026-01-01T00:00:00.0010001Z']
const written = (name: string) => fc.constantFrom(name, name.toUpperCase(), `${userUrn}:${name}`)

const email = fc.record({ value: word, type: fc.constantFrom('work', 'Home') }, { requiredKeys: [] })
const user: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      userName: word,
      externalId: word,
      active: fc.boolean(),
      emails: fc.array(email, { maxLength: 3 }),
      [badgesUrn]: fc.record({ level: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] }),
      meta: fc.record({ created: fc.constantFrom(...times), lastModified: fc.constantFrom(...times) }),
    },
    { requiredKeys: ['meta'] },
  )
  .map((record) => JSON.parse(JSON.stringify(record)))

function ordered<T extends string | number | boolean>(operator: string, value: T | undefined, wanted: T): boolean {
  if (operator === 'ne') return value !== wanted
  if (value === undefined) return false
  if (operator === 'eq') return value === wanted
  if (operator === 'co') return String(value).includes(String(wanted))
  if (operator === 'sw') return String(value).startsWith(String(wanted))
  if (operator === 'ew') return String(value).endsWith(String(wanted))
  if (operator === 'gt') return value > wanted
  if (operator === 'ge') return value >= wanted
  return operator === 'lt' ? value < wanted : value <= wanted
}

const textOperator = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le')
const orderOperator = fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le')
const flagOperator = fc.constantFrom('eq', 'ne')
const lower = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : undefined)
const textOf = (value: Json | undefined) => (typeof value === 'string' ? value : undefined)
const partOf = (value: Json | undefined, name: string) => (isJsonObject(value) ? value[name] : undefined)
const listOf = (user: JsonObject) => (Array.isArray(user.emails) ? user.emails.filter(isJsonObject) : [])
const orNothing = <T>(values: T[]): (T | undefined)[] => (values.length === 0 ? [undefined] : values)

const onUserName = fc.tuple(written('userName'), textOperator, word).map(
  ([name, operator, wanted]): Model => ({
    text: `${name} ${operator} ${JSON.stringify(wanted)}`,
    says: (user) => ordered(operator, lower(user.userName), wanted.toLowerCase()),
  }),
)
const onExternalId = fc.tuple(written('externalId'), textOperator, word).map(
  ([name, operator, wanted]): Model => ({
    text: `${name} ${operator} ${JSON.stringify(wanted)}`,
    says: (user) => ordered(operator, textOf(user.externalId), wanted),
  }),
)
const onActive = fc.tuple(flagOperator, fc.boolean(), fc.constantFrom('"TRUE"', 'true')).map(
  ([operator, wanted, form]): Model => ({
    text: `active ${operator} ${wanted ? form : 'false'}`,
    says: (user) => ordered(operator, user.active === undefined ? undefined : user.active === true, wanted),
  }),
)
const onLevel = fc.tuple(orderOperator, fc.integer({ min: 0, max: 3 })).map(
  ([operator, wanted]): Model => ({
    text: `${badgesUrn}:level ${operator} ${wanted}`,
    says: (user) => {
      const level = partOf(user[badgesUrn], 'level')
      return ordered(operator, typeof level === 'number' ? level : undefined, wanted)
    },
  }),
)
const onTime = fc.tuple(fc.constantFrom('created', 'lastModified'), orderOperator, fc.constantFrom(...wantedTimes)).map(
  ([name, operator, wanted]): Model => ({
    text: `meta.${name} ${operator} "${wanted}"`,
    // In units of Entra's seventh digit.
    says: (user) => {
      const since = (time: string) => Date.parse(time) - Date.parse('2026-01-01T00:00:00Z')
      const units = (time: string) => since(time) * 10_000 + Number(/\.\d{3}(\d{4})/.exec(time)?.[1] ?? 0)
      return ordered(operator, units(textOf(partOf(user.meta, name)) ?? ''), units(wanted))
    },
  }),
)
const onEmail = fc.tuple(fc.constantFrom('emails', 'emails.value', 'EMAILS.Value'), textOperator, word).map(
  ([name, operator, wanted]): Model => ({
    text: `${name} ${operator} ${JSON.stringify(wanted)}`,
    says: (user) =>
      orNothing(listOf(user).flatMap((entry) => lower(entry.value) ?? [])).some((value) =>
        ordered(operator, value, wanted.toLowerCase()),
      ),
  }),
)
const onTypedEmail = fc.tuple(fc.constantFrom('work', 'home'), textOperator, word, fc.boolean()).map(
  ([type, operator, wanted, isInside]): Model => ({
    text: isInside
      ? `emails[type eq "${type}" and value ${operator} ${JSON.stringify(wanted)}]`
      : `emails[type eq "${type}"].value ${operator} ${JSON.stringify(wanted)}`,
    says: (user) =>
      listOf(user).some(
        (entry) => lower(entry.type) === type && ordered(operator, lower(entry.value), wanted.toLowerCase()),
      ),
  }),
)
const onPresence = fc
  .constantFrom('userName', 'externalId')
  .map((name): Model => ({ text: `${name} PR`, says: (user) => user[name] !== undefined && user[name] !== '' }))
const leaf = fc.oneof(onUserName, onExternalId, onActive, onLevel, onTime, onEmail, onTypedEmail, onPresence)

const { model } = fc.letrec<{ model: Model; part: Model }>((tie) => ({
  part: fc.oneof(
    { weight: 3, arbitrary: leaf },
    tie('model').map(({ text, says }) => ({ text: `(${text})`, says })),
    tie('model').map(({ text, says }): Model => ({ text: `not (${text})`, says: (user) => !says(user) })),
  ),
  model: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('part'), { minLength: 2, maxLength: 3 }).map(
      (parts): Model => ({
        text: parts.map(({ text }) => text).join(' and '),
        says: (user) => parts.every(({ says }) => says(user)),
      }),
    ),
    fc.array(fc.array(tie('part'), { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 2 }).map(
      (lists): Model => ({
        text: lists.map((parts) => parts.map(({ text }) => text).join(' and ')).join(' OR '),
        says: (user) => lists.some((parts) => parts.every(({ says }) => says(user))),
      }),
    ),
  ),
}))
const fitting = model.filter(({ text }) => Buffer.byteLength(text) <= 2_000)

/** What the store's index finds, on the document. */
function indexFinds(condition: IndexedCondition, user: JsonObject): boolean {
  switch (condition.attribute) {
    case 'email':
      return listOf(user).some(
        ({ value, type }) =>
          lower(value) === condition.equals.toLowerCase() &&
          (condition.type === undefined || lower(type) === condition.type.toLowerCase()),
      )
    case 'created':
    case 'lastModified':
      return ordered(condition.operator, textOf(partOf(user.meta, condition.attribute)) ?? '', condition.value)
    case 'active':
      return user.active === condition.equals
    case 'prefix':
      return condition.of === 'externalId'
        ? textOf(user.externalId)?.startsWith(condition.startsWith) === true
        : lower(user[condition.of])?.startsWith(condition.startsWith.toLowerCase()) === true
    case 'anyOf':
      return condition.of.some((one) => indexFinds(one, user))
    case 'externalId':
      return user.externalId === condition.equals
    default:
      return lower(user[condition.attribute]) === condition.equals.toLowerCase()
  }
}

test('a filter says what a plain reading of it says', () => {
  fc.assert(
    fc.property(fitting, user, ({ text, says }, document) => {
      assert.equal(compileTest(parseFilter(text, schemas.user))(document), says(document))
    }),
    { numRuns: 2_000 },
  )
})

test('the index and the test of the rest together say what the whole filter says', () => {
  fc.assert(
    fc.property(fitting, user, ({ text, says }, document) => {
      const { index, indexIsExact, test: fitsRest } = compileFilter(parseFilter(text, schemas.user), schemas.user)
      const isFound = index === undefined || indexFinds(index, document)
      assert.equal(isFound && fitsRest(document), says(document))
      if (indexIsExact) assert.equal(isFound, says(document))
    }),
    { numRuns: 2_000 },
  )
})

test('a filter that is printed and parsed again is the same', () => {
  fc.assert(
    fc.property(fitting, ({ text }) => {
      const tree = parseFilter(text, schemas.user)
      assert.deepEqual(parseFilter(printFilter(tree), schemas.user), tree)
    }),
    { numRuns: 1_000 },
  )
})

const fragments = [
  'userName',
  ' eq ',
  '"',
  '\\',
  '\n',
  '(',
  ')',
  '[',
  ']',
  'not ',
  ' and ',
  ' or ',
  'emails',
  '.',
  'a',
  '5',
  ' pr',
  '__proto__',
  'urn:',
  ':',
  '\u0000',
  'é',
  '\ud800',
]
const noise = fc.oneof(
  fc.array(fc.constantFrom(...fragments), { maxLength: 1_500 }).map((parts) => parts.join('').slice(0, 4_096)),
  fc.string({ unit: 'binary', maxLength: 4_096, size: 'max' }),
)

function parseOrRefuse(text: string): void {
  try {
    parseFilter(text, schemas.user)
  } catch (thrown) {
    assert.ok(thrown instanceof Problem, String(thrown))
    assert.deepEqual([thrown.status, thrown.scimType], [400, 'invalidFilter'])
  }
}

test('whatever text comes, it is a filter or 400 invalidFilter', () => {
  fc.assert(
    fc.property(noise, (text) => {
      parseOrRefuse(text)
    }),
    { numRuns: 1_000 },
  )
})

/** What four times the length costs, against what it should: 1 when cost grows with the length, 4 with its square. */
function growth(work: (length: number) => void): number {
  const long: number[] = []
  const short: number[] = []
  const timed = (costs: number[], length: number, times: number) => {
    const start = performance.now()
    for (let time = 0; time < times; time += 1) work(length)
    costs.push(performance.now() - start)
  }
  // In turns, so that other work on the machine slows both alike.
  for (let round = 0; round < 41; round += 1) {
    timed(short, 1_024, 32)
    timed(long, 4_096, 8)
  }
  const median = (costs: number[]) => costs.sort((one, other) => one - other)[costs.length >> 1] ?? 0
  return median(long) / median(short)
}
const tolerated = 2.5

describe('the cost of a filter grows with its length, and no faster:', () => {
  const fill = (start: string, part: string, end: string, length: number) =>
    start + part.repeat(Math.floor((length - start.length - end.length) / part.length)) + end
  const hostile: readonly [start: string, part: string, end: string][] = [
    ['userName eq "', '\n', ''],
    ['userName eq "', '\\', ''],
    ['userName eq "', '\\"', ''],
    ['userName eq "', '\\u0000', '"'],
    ['userName eq "', 'x', '"'],
    ['', '(', ''],
    ['', 'not (', ''],
    ['', '[', ''],
    ['', '"', ''],
    ['', ' ', ''],
    ['', 'a', ''],
    ['', 'urn:', ''],
    ['', 'emails[', ''],
    ['', 'a.', ''],
    ['userName eq ', '9', ''],
    ['title pr', ' and title pr', ''],
    ['', '(title pr or id pr) and ', 'id pr'],
    ['title pr', ' or (title pr', ''],
    ['title pr', '        \t\n and title pr', ''],
  ]
  for (const [start, part, end] of hostile) {
    test(`${JSON.stringify(start)} and many of ${JSON.stringify(part)}`, () => {
      const texts = new Map([1_024, 4_096].map((length) => [length, fill(start, part, end, length)]))
      const grows = growth((length) => parseOrRefuse(texts.get(length) ?? ''))
      assert.ok(grows < tolerated, `four times the length costs ${4 * grows} times as much`)
    })
  }

  test('what grows with the square of the length would be seen', () => {
    const grows = growth((length) => {
      let text = ''
      for (let at = 0; at < length / 8; at += 1) text = `${text}x`.split('').join('')
    })
    assert.ok(grows > tolerated, String(grows))
  })
})

test('sixteen pairs of alternatives stay sixteen, and are not multiplied out', () => {
  const tree = parseFilter(Array(16).fill('(title pr or locale pr)').join(' and '), schemas.user)
  assert.equal(tree.kind === 'and' && tree.parts.length, 16)
  assert.equal(compileTest(tree)({ title: 'x' }), true)
  assert.equal(compileTest(tree)({ nickName: 'x' }), false)
})
