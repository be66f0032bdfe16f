import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser, patchGroup, patchUser, refuses } from './patch-world.ts'

const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))
/** Of the processor, so that a machine under load does not count. Without bounds these take many seconds. */
const tooLongMs = 3_000

function quickly(work: () => void): void {
  const before = process.cpuUsage()
  work()
  const tookMs = process.cpuUsage(before).user / 1_000
  assert.ok(tookMs < tooLongMs, `took ${tookMs} ms`)
}

test('a patch has up to 1,000 operations', () => {
  const operation = { op: 'add', path: 'title', value: 'Dr' }
  assert.equal(patchUser(many(1_000, () => operation)).document.title, 'Dr')
  refuses(() => patchUser(many(1_001, () => operation)), 'tooMany', /^Operations has more than 1000/)
})

test('a list grows up to 1,000 values', () => {
  const document = aUser({ roles: many(1_000, (index) => ({ value: `r${index}` })) })
  assert.equal(patchUser([{ op: 'add', path: 'roles', value: 'r7' }], { document }).changed, false)
  refuses(
    () => patchUser([{ op: 'add', path: 'roles', value: 'new' }], { document }),
    'invalidValue',
    /^roles has more than 1000/,
  )
  refuses(
    () => patchUser([{ op: 'add', path: 'roles[value eq "new"].type', value: 'x' }], { document }),
    'invalidValue',
    /^roles has more/,
  )
  refuses(
    () => patchUser([{ op: 'add', path: 'roles', value: many(1_001, (index) => ({ value: `n${index}` })) }]),
    'invalidValue',
  )
})

test('a text and the whole document keep their largest size after a patch', () => {
  refuses(
    () => patchUser([{ op: 'add', path: 'title', value: 'x'.repeat(10_001) }]),
    'invalidValue',
    /^title is longer/,
  )
  const roles = many(26, (index) => ({ value: `${index}`.padEnd(9_900, 'x') }))
  const document = aUser({ roles })
  refuses(
    () => patchUser([{ op: 'add', path: 'title', value: 'x'.repeat(9_000) }], { document }),
    'invalidValue',
    /larger than 256 kB/,
  )
})

test('rules for texts hold after a patch as after a create', () => {
  refuses(
    () => patchUser([{ op: 'replace', path: 'userName', value: 'a\nb' }]),
    'invalidValue',
    /^userName has a control/,
  )
  refuses(() => patchUser([{ op: 'replace', path: 'title', value: 'a\0' }]), 'invalidValue', /^title has a NUL/)
  refuses(
    () => patchUser([{ op: 'add', path: 'emails[type eq "a"].value', value: '\ud800' }]),
    'invalidValue',
    /^emails\.value/,
  )
})

test('operations that would walk over long lists again and again are refused soon', () => {
  const addresses = many(1_000, (index) => ({ locality: `l${index}`, type: 'work' }))
  const filter = Array.from({ length: 3 }, (_, index) => `type eq "t${index}"`).join(' or ')
  for (const operation of [
    { op: 'remove', path: `addresses[${filter}]` },
    { op: 'add', path: 'addresses', value: addresses.slice(0, 4) },
    { op: 'add', path: 'addresses', value: addresses.slice(0, 40) },
    { op: 'remove', path: 'addresses', value: addresses.slice(0, 90).map((one) => ({ ...one, region: 'none' })) },
    { op: 'replace', path: 'addresses.country', value: 'NL' },
  ]) {
    quickly(() =>
      refuses(
        () =>
          patchUser(
            many(900, () => operation),
            { document: aUser({ addresses }) },
          ),
        'tooMany',
        /^addresses/,
      ),
    )
  }
})

test('long filters in many paths, or in many names of one value, are refused soon', () => {
  const comparisons = many(99, (index) => `type eq "t${index}"`).join(' or ')
  const blanks = `emails[${' '.repeat(4_000)}type pr].display`
  for (const path of [`emails[${comparisons}]`, blanks]) {
    quickly(() =>
      refuses(() => patchUser(many(900, () => ({ op: 'replace', path, value: null }))), 'tooMany', /^The paths/),
    )
  }
  const named = Object.fromEntries(many(200, (index) => [`emails[type eq "${index}" or ${comparisons}].display`, null]))
  quickly(() => refuses(() => patchUser([{ op: 'add', value: named }]), 'tooMany', /^The paths/))
})

test('a thousand members are removed by their ids in one patch', () => {
  const operations = many(1_000, () => ({ op: 'remove', path: `members[value eq "${crypto.randomUUID()}"]` }))
  assert.equal(patchGroup(operations).memberChanges.length, 1_000)
})

test('long hostile texts in values, paths and roles are read in linear time', () => {
  const blanks = `${' '.repeat(500_000)}!`
  quickly(() => {
    refuses(() => patchUser([{ op: 'add', path: 'x509Certificates', value: [{ value: blanks }] }]), 'invalidValue')
    refuses(() => patchUser([{ op: 'add', path: 'roles', value: [{ value: '{'.repeat(500_000) }] }]), 'invalidValue')
    refuses(() => patchUser([{ op: 'add', path: `emails[${'\\'.repeat(500_000)}`, value: 'x' }]), 'invalidPath')
    refuses(() => patchUser([{ op: 'add', path: `emails[value eq "${'\n'.repeat(3_000)}`, value: 'x' }]), 'invalidPath')
    refuses(() => patchUser([{ op: 'add', value: { ['.'.repeat(500_000)]: 1 } }]), 'invalidPath')
  })
})
