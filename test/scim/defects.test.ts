/**
 * What the SCIM library does wrong, and the test that shows it absent with us. The library is updated one day, and a row
 * here whose test was renamed or lost must not go unnoticed: a defect that nobody looks for comes back.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

interface Defect {
  readonly library: string
  /** File → names of its tests, as they stand there. */
  readonly shownBy: Readonly<Record<string, readonly string[]>>
}

const defects: readonly Defect[] = [
  // Security
  {
    library: 'S1 __proto__ in a filter, a projection, a body or a PATCH path pollutes every tenant',
    shownBy: {
      'http/hostile': [
        'is an unknown name wherever a request can have one',
        'all of this holds whether or not node keeps __proto__',
      ],
      'scim/hostile-names': ['a PATCH path with', 'a body key with'],
    },
  },
  {
    library: 'S2 an open quote before line breaks or backslashes takes seconds',
    shownBy: {
      'http/hostile': ['filters that exhaust matchers and parsers'],
      'scim/filter-property': ['and many of'],
    },
  },
  {
    library: 'S3 alternatives joined by and are multiplied out',
    shownBy: {
      'scim/filter-property': ['sixteen pairs of alternatives stay sixteen'],
      'http/bad-input': ['sixteen pairs of alternatives are evaluated as they are written'],
    },
  },
  { library: 'S4 an id becomes a filter', shownBy: { 'http/protocol': ['odd ids 404, and no other row is touched'] } },
  {
    library: 'S5 401 without WWW-Authenticate, also when the database is down',
    shownBy: {
      'http/protocol': ['the answer is 401 with WWW-Authenticate', 'every reason for 401 gives the same answer'],
      'http/library-defects': ['a write is 503 with Retry-After, a wrong token still 401'],
    },
  },
  {
    library: 'S6 the body is parsed before authentication',
    shownBy: { 'http/protocol': ['a stranger is refused before the first byte of the body is read'] },
  },
  // HTTP and protocol
  {
    library: 'H1 startIndex and count are ignored',
    shownBy: { 'http/protocol': ['startIndex and count are honoured'] },
  },
  { library: 'H2 a page past the end is page 1', shownBy: { 'http/protocol': ['a page past the end is empty'] } },
  {
    library: 'H3 a failure of the backend is 404',
    shownBy: {
      'full/platform-away': ['a deactivation asked for in fault mode'],
      'http/library-defects': ['a write is 503 with Retry-After'],
      'scim/routers-contract': ['reaches the last error handler before a byte is sent'],
    },
  },
  {
    library: 'H4 429, 503 and 415 are HTML pages',
    shownBy: {
      'full/platform-away': ['a create asked for in fault mode'],
      'http/library-defects': ['a write is 503 with Retry-After'],
      'http/protocol': ['a body that is no JSON by its media type is 415'],
    },
  },
  {
    library: 'H5 every 5xx closes the socket',
    shownBy: { 'http/library-defects': ['two hundred failures in a row share one socket'] },
  },
  { library: 'H6 If-Match is ignored', shownBy: { 'http/protocol': ['a stale If-Match is 412 and stores nothing'] } },
  {
    library: 'H7 of two PATCHes at once one is lost',
    shownBy: {
      'http/protocol': ['two PATCHes at once both survive'],
      'http/groups': ['fifty PATCHes at once lose no member'],
    },
  },
  {
    library: 'H8 one odd row makes a list fail',
    shownBy: {
      'http/library-defects': ['one odd row in the store does not spoil the lists'],
      'scim/filter-compile': ['one odd stored value makes a test fail to match'],
    },
  },
  {
    library: 'H9 201 has no Location',
    shownBy: {
      'http/protocol': ['location comes from the configured address'],
      'http/groups': ['a new group answers 201 with Location'],
    },
  },
  { library: 'H10 two tenants at once swap locations', shownBy: { 'http/protocol': ['no location of the other'] } },
  // The rest
  {
    library: 'M1 itemsPerPage is what was asked for, without maximum',
    shownBy: {
      'http/protocol': [
        'a page past the end is empty, with the right total and itemsPerPage 0',
        'count 0 and negative give totals only, a huge count is capped',
      ],
    },
  },
  {
    library: 'M2 a search cuts each type before merging',
    shownBy: { 'http/protocol': ['a search in a body takes count 0 and startIndex 0'] },
  },
  {
    library: 'M3 a wrong method is 404, discovery with a filter 500',
    shownBy: { 'http/protocol': ['a wrong method is 405 with Allow'] },
  },
  {
    library: 'M4 errors of JSON and size are no SCIM errors',
    shownBy: {
      'http/protocol': [
        'is 400 invalidSyntax and changes nothing',
        'a body that is larger than allowed is 413',
        'a body that is no JSON by its media type is 415',
      ],
    },
  },
  {
    library: 'M5 a projection by sub-attribute or URN is 400',
    shownBy: {
      'http/protocol': ['projection takes sub-attributes, URNs and any case'],
      'scim/projection': ['unknown names are ignored'],
    },
  },
  {
    library: 'M6 quoted booleans, null and a manager as text are 400',
    shownBy: {
      'http/library-defects': ['a body in the words of Entra is taken'],
      'scim/normalise': ['a manager comes as text, list, object, dotted or unqualified'],
    },
  },
  {
    library: 'M7 members without display, not as bare text, and twice',
    shownBy: {
      'http/groups': [
        'its members by name and address',
        'members come as objects, bare ids and twice, and each is a member once',
      ],
    },
  },
  // Filters and sorting
  {
    library: 'F1 letter case counts where it must not',
    shownBy: {
      'http/library-defects': ['letter case counts for ids only'],
      'scim/filter-compile': ['userName is found in any letter case'],
    },
  },
  {
    library: 'F2 emails without a sub-attribute is 400',
    shownBy: { 'http/library-defects': ['emails alone means their value'] },
  },
  {
    library: 'F3 names with a URN never match',
    shownBy: { 'http/library-defects': ['names with a URN find what the names without it find'] },
  },
  {
    library: 'F4 not (A or B) is not A or not B',
    shownBy: {
      'http/library-defects': ['not, brackets, quotes and escapes mean what they say'],
      'scim/filter-compile': ['not (A or B) is neither A nor B'],
    },
  },
  {
    library: 'F5 double brackets and escaped quotes are 400',
    shownBy: {
      'http/library-defects': ['not, brackets, quotes and escapes mean what they say'],
      'scim/filter-parse': ['redundant brackets, brackets within quotes, and escaped quotes'],
    },
  },
  {
    library: 'F6 half a filter, and an unknown name, find nothing instead of failing',
    shownBy: { 'http/library-defects': ['what makes no sense is invalidFilter'] },
  },
  {
    library: 'F7 a quoted boolean never matches',
    shownBy: { 'http/library-defects': ['a boolean is a boolean, in quotes too'] },
  },
  {
    library: 'F8 an order of booleans and a search for passwords are accepted',
    shownBy: {
      'http/library-defects': ['what makes no sense is invalidFilter'],
      'scim/filter-parse': ['gt, ge, lt and le on a boolean or binary attribute', 'a password cannot be searched'],
    },
  },
  {
    library: 'F9 a wrong order is ignored, as is sorting by a URN',
    shownBy: { 'http/library-defects': ['a list is sorted by attributes with a URN, and never in an unknown order'] },
  },
  {
    library: 'F10 no hit is 404',
    shownBy: { 'http/protocol': ['a filter without a hit is 200 with an empty list, never 404'] },
  },
]

/** The names of the tests in a file, with quotes of any kind around them. */
function testsIn(name: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '..', `${name}.test.ts`), 'utf8')
  return [...text.matchAll(/\btest\(\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`]+)`)/g)].map(
    ([, single, double, template]) => single ?? double ?? template ?? '',
  )
}

for (const { library, shownBy } of defects) {
  test(`there is a test for: ${library}`, () => {
    for (const [file, names] of Object.entries(shownBy)) {
      const tests = testsIn(file)
      for (const name of names)
        assert.ok(
          tests.some((one) => one.includes(name)),
          `${file}: ${name}`,
        )
    }
  })
}

test('no row is missing', () => {
  const rows = defects.map(({ library }) => library.split(' ', 1)[0])
  const series = (letter: string, last: number) => Array.from({ length: last }, (_, index) => `${letter}${index + 1}`)
  assert.deepEqual(rows, [...series('S', 6), ...series('H', 10), ...series('M', 7), ...series('F', 10)])
})
