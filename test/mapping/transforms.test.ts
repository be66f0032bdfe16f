import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../src/json.ts'
import { compileTransform, transformNames } from '../../src/mapping/transform-list.ts'
import * as transforms from '../../src/mapping/transforms.ts'

const { trim, lower, upper, collapseSpaces, not, toText, toNumber, prefix, suffix } = transforms
const { stripDiacritics, truncate, before, after, replace, keep, uniqueSuffix } = transforms

const runs = 2_000

function examplesOf<Argument>(name: string, declaration: transforms.Declaration<Argument>): void {
  test(`${name} does what its declaration says`, () => {
    assert.ok(declaration.examples.length > 0)
    for (const [input, argument, output] of declaration.examples) {
      assert.deepEqual(declaration.run(argument)(input), output)
      if (declaration.kind === 'back') assert.deepEqual(declaration.back?.(argument)(output), input)
      if (declaration.kind === 'lossy') assert.equal(declaration.back, undefined)
    }
  })
}

describe('every transform is documented by examples that hold', () => {
  for (const [name, one] of Object.entries({
    trim,
    lower,
    upper,
    collapseSpaces,
    not,
    toText,
    toNumber,
    stripDiacritics,
  })) {
    examplesOf(name, one)
  }
  for (const [name, one] of Object.entries({ prefix, suffix, before, after })) examplesOf(name, one)
  examplesOf('truncate', truncate)
  examplesOf('replace', replace)
  examplesOf('keep', keep)
  examplesOf('unique_suffix', uniqueSuffix)

  test('the list has every transform of the documentation and no other', () => {
    assert.deepEqual([...transformNames].sort(), [
      ...['after', 'before', 'collapse_spaces', 'keep', 'lower', 'not', 'prefix', 'replace', 'strip_diacritics'],
      ...['suffix', 'to_number', 'to_string', 'trim', 'truncate', 'unique_suffix', 'upper'],
    ])
  })
})

describe('properties', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const spaced = fc.string({ unit: fc.constantFrom('a', 'Ž', 'ß', 'İ', 'Σ', ' ', '\t', '\u00a0', 'é'), maxLength: 30 })

  for (const [name, one] of Object.entries({ trim, lower, upper, collapseSpaces })) {
    test(`${name} done twice is ${name} done once`, () => {
      const run = one.run(undefined)
      fc.assert(
        fc.property(fc.oneof(text, spaced), (value) => {
          const once = run(value) ?? null
          assert.deepEqual(run(once), once)
        }),
        { numRuns: runs },
      )
    })
  }

  test('what prefix and suffix add, reading takes away again', () => {
    fc.assert(
      fc.property(text, fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }), (value, piece) => {
        for (const one of [prefix, suffix]) {
          const there = one.run(piece)(value) ?? null
          assert.equal(one.back?.(piece)(there), value)
        }
      }),
      { numRuns: runs },
    )
  })

  test('a number that to_number takes comes back in the same digits', () => {
    const almost = fc.oneof(
      fc.string({ unit: fc.constantFrom('0', '1', '7', '-', '.', 'e', ' '), maxLength: 6 }),
      fc.integer().map(String),
    )
    fc.assert(
      fc.property(almost, (value) => {
        const there = toNumber.run(undefined)(value)
        if (there !== undefined) assert.equal(toNumber.back?.(undefined)(there), value)
      }),
      { numRuns: runs },
    )
  })

  test('to_string of a number or a boolean is read back exactly', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        (value) => {
          // JSON knows no negative zero.
          const one: Json = Object.is(value, -0) ? 0 : value
          assert.deepEqual(toText.back?.(undefined)(toText.run(undefined)(one) ?? null), one)
        },
      ),
      { numRuns: runs },
    )
  })

  test('keep gives nothing but the characters of its set and the replacement', () => {
    const run = keep.run({ keep: 'a-z0-9_-', else: '-' })
    fc.assert(
      fc.property(text, (value) => {
        assert.match(String(run(value)), /^[a-z0-9_-]*$/)
      }),
      { numRuns: runs },
    )
  })
})

describe('the edges', () => {
  test('a transform of text does not take a number', () => {
    assert.equal(trim.run(undefined)(7), undefined)
    assert.equal(truncate.run(3)(true), undefined)
  })

  test('007 is not taken for a number, because it would come back as 7', () => {
    assert.equal(toNumber.run(undefined)('007'), undefined)
    assert.equal(toNumber.run(undefined)(''), undefined)
    assert.equal(toNumber.run(undefined)('Infinity'), undefined)
  })

  test('a value without the prefix is not guessed', () => {
    assert.equal(prefix.back?.('uni-')('ada'), undefined)
    assert.equal(suffix.back?.('@uni.example')('ada@other.example'), undefined)
  })

  test('a range that runs backwards is refused', () => {
    assert.equal(keep.argument?.safeParse({ keep: 'z-a' }).success, false)
    assert.equal(keep.argument?.safeParse({ keep: 'a-z-' }).success, true)
  })

  test('unique_suffix reads the path it names', () => {
    const id = { text: 'id', steps: [{ kind: 'name', name: 'id', key: 'id' }], type: 'string' } as const
    const step = compileTransform({ unique_suffix: { from: 'id', length: 6 } }, () => id)
    assert.equal(
      step?.run('zofie-nova', (path) => (path === id ? 'u-1' : undefined)),
      'zofie-nova-a24a7f',
    )
  })
})
