/** PATCH against a model of it that is as plain as can be: one small rule a kind of operation, taken from RFC 7644 §3.5.2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, userUrn } from '../../src/scim/attribute.ts'
import { customUrn, patchUser } from './patch-world.ts'

interface Email {
  value?: string
  type?: string
  primary?: boolean
}
/** What the model knows of a user. */
interface Model {
  title?: string
  department?: string
  active?: boolean
  givenName?: string
  familyName?: string
  emails: Email[]
  tags: string[]
}
/** What is sent, and what it does to the model. */
interface Step {
  readonly sent: JsonObject
  readonly apply: (model: Model) => void
}

const isSame = (one: Email, other: Email) => one.value === other.value && one.type === other.type

/** No (value, type) twice: the later one adds what it brings. */
function unite(emails: readonly Email[]): Email[] {
  const united: Email[] = []
  for (const email of emails) {
    const known = united.find((one) => isSame(one, email))
    if (known === undefined) united.push({ ...email })
    else Object.assign(known, email)
  }
  return united
}

function documentOf(model: Model): JsonObject {
  const name = { givenName: model.givenName, familyName: model.familyName }
  const isNamed = model.givenName !== undefined || model.familyName !== undefined
  const document = {
    schemas: [
      userUrn,
      ...(model.department === undefined ? [] : [enterpriseUrn]),
      ...(model.tags.length === 0 ? [] : [customUrn]),
    ],
    userName: 'ada@uni.example',
    title: model.title,
    active: model.active,
    name: isNamed ? name : undefined,
    emails: model.emails.length === 0 ? undefined : unite(model.emails),
    [enterpriseUrn]: model.department === undefined ? undefined : { department: model.department },
    [customUrn]: model.tags.length === 0 ? undefined : { tags: [...new Set(model.tags)] },
  }
  return JSON.parse(JSON.stringify(document))
}

const word = fc.constantFrom('a', 'b', 'c', 'd')
const type = fc.constantFrom('work', 'home', 'other')
const verb = fc.constantFrom('add', 'replace', 'Add', 'REPLACE')
const email: fc.Arbitrary<Email> = fc.record({ value: word, type })
/** At most one of them is primary. */
const emails = fc
  .tuple(fc.array(email, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(9), { nil: undefined }))
  .map(([list, primary]) => {
    const united = unite(list)
    return united.map((one, index) =>
      primary !== undefined && index === primary % united.length ? { ...one, primary: true } : one,
    )
  })
const sentEmails = (list: readonly Email[]): JsonObject[] => JSON.parse(JSON.stringify(list))

const texts: readonly ['title' | 'department' | 'givenName' | 'familyName', string][] = [
  ['title', 'title'],
  ['title', `${userUrn}:Title`],
  ['department', `${enterpriseUrn}:department`],
  ['department', 'department'],
  ['givenName', 'name.givenName'],
  ['familyName', 'NAME.familyname'],
]
const setText = fc.tuple(verb, fc.constantFrom(...texts), word, fc.boolean()).map(
  ([op, [field, path], value, isFlat]): Step => ({
    sent: isFlat ? { op, value: { [path]: value } } : { op, path, value },
    apply: (model) => {
      model[field] = value
    },
  }),
)
const removeText = fc.constantFrom(...texts).map(
  ([field, path]): Step => ({
    sent: { op: 'remove', path },
    apply: (model) => {
      delete model[field]
    },
  }),
)
const setActive = fc.tuple(verb, fc.boolean(), fc.boolean()).map(
  ([op, value, isQuoted]): Step => ({
    sent: { op, path: 'active', value: isQuoted ? (value ? 'True' : 'False') : value },
    apply: (model) => {
      model.active = value
    },
  }),
)
const setName = fc.tuple(verb, fc.record({ givenName: word, familyName: word }, { requiredKeys: [] })).map(
  ([op, parts]): Step => ({
    sent: { op, path: 'name', value: JSON.parse(JSON.stringify({ ...parts, givenName: parts.givenName ?? 'a' })) },
    // A part that is not given stays.
    apply: (model) => {
      model.givenName = parts.givenName ?? 'a'
      if (parts.familyName !== undefined) model.familyName = parts.familyName
    },
  }),
)
const removeName = fc.constant<Step>({
  sent: { op: 'remove', path: 'name' },
  apply: (model) => {
    delete model.givenName
    delete model.familyName
  },
})
const addEmails = fc.tuple(emails, fc.boolean()).map(
  ([list, isFlat]): Step => ({
    sent: isFlat
      ? { op: 'add', value: { emails: sentEmails(list) } }
      : { op: 'add', path: 'emails', value: sentEmails(list) },
    apply: (model) => {
      const primary = list.find((one) => one.primary)
      const merged = [...model.emails]
      for (const added of list) {
        const at = merged.findIndex((one) => isSame(one, added))
        if (at === -1) merged.push(added)
        else merged[at] = { ...merged[at], ...added }
      }
      // A new primary takes the mark from the old one.
      model.emails = merged.map((one) =>
        primary !== undefined && one.primary === true && !isSame(one, primary) ? { ...one, primary: false } : one,
      )
    },
  }),
)
const replaceEmails = emails.map(
  (list): Step => ({
    sent: { op: 'replace', path: 'emails', value: sentEmails(list) },
    apply: (model) => {
      model.emails = [...list]
    },
  }),
)
const removeEmails = fc
  .constantFrom<JsonObject>(
    { op: 'remove', path: 'emails' },
    { op: 'replace', path: 'emails', value: [] },
    { op: 'replace', path: 'emails', value: null },
  )
  .map(
    (sent): Step => ({
      sent,
      apply: (model) => {
        model.emails = []
      },
    }),
  )
const removeSome = fc
  .oneof(
    type.map((wanted) => ({ filter: `type eq "${wanted.toUpperCase()}"`, fits: (one: Email) => one.type === wanted })),
    word.map((wanted) => ({ filter: `value ne "${wanted}"`, fits: (one: Email) => one.value !== wanted })),
    fc.constant({ filter: 'primary eq true', fits: (one: Email) => one.primary === true }),
    fc.tuple(type, word).map(([wanted, value]) => ({
      filter: `not (type eq "${wanted}" or value eq "${value}")`,
      fits: (one: Email) => one.type !== wanted && one.value !== value,
    })),
  )
  .map(
    ({ filter, fits }): Step => ({
      sent: { op: 'remove', path: `emails[${filter}]` },
      apply: (model) => {
        model.emails = model.emails.filter((one) => !fits(one))
      },
    }),
  )
const setValue = fc.tuple(verb, type, word).map(
  ([op, wanted, value]): Step => ({
    sent: { op, path: `emails[type eq "${wanted}"].value`, value },
    apply: (model) => {
      const isHit = model.emails.some((one) => one.type === wanted)
      model.emails = model.emails.map((one) => (one.type === wanted ? { ...one, value } : one))
      // As Entra means it: the value that the filter describes is made.
      if (!isHit) model.emails.push({ value, type: wanted })
    },
  }),
)
const setTags = fc.tuple(fc.constantFrom('add', 'replace'), fc.array(word, { minLength: 1, maxLength: 3 })).map(
  ([op, tags]): Step => ({
    sent: { op, path: `${customUrn}:tags`, value: tags },
    apply: (model) => {
      model.tags = [...new Set(op === 'add' ? [...model.tags, ...tags] : tags)]
    },
  }),
)
const removeTags = word.map(
  (tag): Step => ({
    sent: { op: 'remove', path: `${customUrn}:tags[value eq "${tag}"]` },
    apply: (model) => {
      model.tags = model.tags.filter((one) => one !== tag)
    },
  }),
)

const step = fc.oneof(
  ...[setText, removeText, setActive, setName, removeName, setTags, removeTags],
  ...[addEmails, addEmails, replaceEmails, removeEmails, removeSome, setValue, setValue],
)
const model: fc.Arbitrary<Model> = fc.record(
  {
    title: word,
    department: word,
    active: fc.boolean(),
    givenName: word,
    familyName: word,
    emails,
    tags: fc.uniqueArray(word),
  },
  { requiredKeys: ['emails', 'tags'] },
)

test('a PATCH does what the plain model of it does, and says truly whether it changed anything', () => {
  let changes = 0
  fc.assert(
    fc.property(model, fc.array(step, { minLength: 1, maxLength: 8 }), (start, steps) => {
      const document = documentOf(start)
      const wanted = structuredClone(start)
      for (const { apply } of steps) apply(wanted)
      const result = patchUser(
        steps.map(({ sent }) => sent),
        { document },
      )
      assert.deepEqual(result.document, documentOf(wanted))
      const isChanged = JSON.stringify(sorted(result.document)) !== JSON.stringify(sorted(document))
      assert.equal(result.changed, isChanged)
      if (isChanged) changes += 1
    }),
    { numRuns: 3_000 },
  )
  assert.ok(changes > 2_000, `${changes} changes`)
})

test('a PATCH of many operations is as good as many of one', () => {
  fc.assert(
    fc.property(model, fc.array(step, { minLength: 2, maxLength: 6 }), (start, steps) => {
      // Values that become the same in between are one afterwards, and two until then.
      fc.pre(!steps.some(({ sent }) => String(sent.path).endsWith('].value')))
      const sent = steps.map((one) => one.sent)
      const together = patchUser(sent, { document: documentOf(start) }).document
      let document = documentOf(start)
      for (const one of sent) document = patchUser([one], { document }).document
      assert.deepEqual(together, document)
    }),
    { numRuns: 1_000 },
  )
})

/** Keys in one order, at every level. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  )
}
