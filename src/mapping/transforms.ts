/**
 * The closed list of transforms. Each is declared once: what it does, what its argument is, whether it can be read
 * back, and examples `[input, argument, output]` that are its unit test and its documentation.
 */
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { Json } from '../json.ts'
import { argumentLength } from './bounds.ts'
import { characterSet } from './character-set.ts'

export interface Declaration<Argument> {
  /** `same`: reading gives the value as it is. `back`: exactly invertible. `lossy`: cannot be read back. */
  readonly kind: 'same' | 'back' | 'lossy'
  readonly doc: string
  /** The shape of the argument in the file; undefined for a transform that is written as a bare word. */
  readonly argument: z.ZodType<Argument> | undefined
  /** Made once for each place in a file. Undefined: not a value that this transform takes. `null`: no value. */
  run(argument: Argument): (value: Json) => Json | undefined
  /** Undefined: `run` never gives this value. */
  back?(argument: Argument): (value: Json) => Json | undefined
  readonly examples: readonly (readonly [Json, Argument, Json])[]
}

const shortText = z.string().max(argumentLength)
const nonEmptyText = shortText.min(1)
const oneCharacter = z.string().refine((text) => [...text].length === 1, 'is one character')

type TextStep<Argument> = (argument: Argument) => (value: string) => Json | undefined

function text<Argument>(
  declaration: Omit<Declaration<Argument>, 'run' | 'back'> & { run: TextStep<Argument>; back?: TextStep<Argument> },
): Declaration<Argument> {
  const { run, back, ...rest } = declaration
  return { ...rest, run: onText(run), ...(back && { back: onText(back) }) }
}

function onText<Argument>(step: TextStep<Argument>): (argument: Argument) => (value: Json) => Json | undefined {
  return (argument) => {
    const ofText = step(argument)
    return (value) => (typeof value === 'string' ? ofText(value) : undefined)
  }
}

function bare(
  kind: 'same' | 'lossy',
  doc: string,
  run: (value: string) => string,
  examples: readonly (readonly [string, string])[],
): Declaration<undefined> {
  return text({
    kind,
    doc,
    argument: undefined,
    run: () => run,
    examples: examples.map(([input, output]) => [input, undefined, output] as const),
  })
}

export const trim = bare('same', 'Without white space at both ends.', (value) => value.trim(), [
  ['  Ada ', 'Ada'],
  ['Ada', 'Ada'],
])

export const lower = bare('same', 'In small letters.', (value) => value.toLowerCase(), [
  ['Ada@UNI.example', 'ada@uni.example'],
  ['ŽOFIE', 'žofie'],
])

export const upper = bare('same', 'In capital letters.', (value) => value.toUpperCase(), [['ada', 'ADA']])

export const collapseSpaces = bare(
  'same',
  'Every run of white space becomes one space; none at both ends.',
  (value) => value.replace(/\s+/g, ' ').trim(),
  [
    [' Ada   King\tLovelace', 'Ada King Lovelace'],
    ['Ada', 'Ada'],
  ],
)

/** Letters that Unicode does not take apart into a letter and a mark. */
const undividedLetters = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['Æ', 'AE'],
  ['œ', 'oe'],
  ['Œ', 'OE'],
  ['ø', 'o'],
  ['Ø', 'O'],
  ['ł', 'l'],
  ['Ł', 'L'],
  ['đ', 'd'],
  ['Đ', 'D'],
  ['ı', 'i'],
])

export const stripDiacritics = bare(
  'lossy',
  'Letters without their accents; ß, æ, ø, ł and the like become plain letters.',
  (value) =>
    value
      .normalize('NFD')
      .replace(/\p{M}+/gu, '')
      .replace(/[ßæÆœŒøØłŁđĐı]/g, (letter) => undividedLetters.get(letter) ?? letter)
      .normalize('NFC'),
  [
    ['Žofie Nová', 'Zofie Nova'],
    ['Łukasz Groß', 'Lukasz Gross'],
  ],
)

export const not: Declaration<undefined> = {
  kind: 'back',
  doc: 'true becomes false and false becomes true.',
  argument: undefined,
  run: () => opposite,
  back: () => opposite,
  examples: [
    [true, undefined, false],
    [false, undefined, true],
  ],
}

function opposite(value: Json): boolean | undefined {
  return typeof value === 'boolean' ? !value : undefined
}

export const toText: Declaration<undefined> = {
  kind: 'back',
  doc: 'A number, true or false, as text.',
  argument: undefined,
  run: () => (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined),
  back: () => (value) => {
    if (value === 'true' || value === 'false') return value === 'true'
    return plainNumber(value)
  },
  examples: [
    [4711, undefined, '4711'],
    [-0.5, undefined, '-0.5'],
    [true, undefined, 'true'],
  ],
}

export const toNumber: Declaration<undefined> = {
  kind: 'back',
  doc: 'Text as a number. Only numbers in their plain form: 007 would come back as 7, and is refused.',
  argument: undefined,
  run: () => plainNumber,
  back: () => (value) => (typeof value === 'number' ? String(value) : undefined),
  examples: [
    ['4711', undefined, 4711],
    ['-0.5', undefined, -0.5],
  ],
}

function plainNumber(value: Json): number | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) && String(number) === value ? number : undefined
}

export const prefix = text({
  kind: 'back',
  doc: 'With this text in front.',
  argument: nonEmptyText,
  run: (front) => (value) => front + value,
  back: (front) => (value) => (value.startsWith(front) ? value.slice(front.length) : undefined),
  examples: [['ada', 'uni-', 'uni-ada']],
})

export const suffix = text({
  kind: 'back',
  doc: 'With this text at the end.',
  argument: nonEmptyText,
  run: (end) => (value) => value + end,
  back: (end) => (value) => (value.endsWith(end) ? value.slice(0, value.length - end.length) : undefined),
  examples: [['ada', '@uni.example', 'ada@uni.example']],
})

export const truncate = text({
  kind: 'lossy',
  doc: 'The first n characters.',
  argument: z.int().min(1).max(10_000),
  run: (length) => (value) => (value.length <= length ? value : [...value].slice(0, length).join('')),
  examples: [
    ['Lovelace', 4, 'Love'],
    ['Ada', 4, 'Ada'],
    // A character outside the basic plane is one, although JavaScript counts two.
    ['👩a👩', 2, '👩a'],
  ],
})

export const before = text({
  kind: 'lossy',
  doc: 'The text before the first such character; all of it when there is none.',
  argument: oneCharacter,
  run: (mark) => (value) => value.split(mark, 1)[0] ?? '',
  examples: [
    ['ada@uni.example', '@', 'ada'],
    ['ada', '@', 'ada'],
  ],
})

export const after = text({
  kind: 'lossy',
  doc: 'The text after the first such character; all of it when there is none.',
  argument: oneCharacter,
  run: (mark) => (value) => {
    const position = value.indexOf(mark)
    return position < 0 ? value : value.slice(position + mark.length)
  },
  examples: [
    ['UNI\\ada', '\\', 'ada'],
    ['ada', '\\', 'ada'],
  ],
})

export const replace = text({
  kind: 'lossy',
  doc: 'Every `find` becomes `with`. Both are plain texts, not patterns.',
  argument: z.strictObject({ find: nonEmptyText, with: shortText }),
  run: (argument) => (value) => value.split(argument.find).join(argument.with),
  examples: [
    ['a.b.c', { find: '.', with: '-' }, 'a-b-c'],
    ['a.b', { find: '.', with: '' }, 'ab'],
  ],
})

export interface KeepArgument {
  readonly keep: string
  readonly else?: string | undefined
}

export const keep = text<KeepArgument>({
  kind: 'lossy',
  doc: 'Only these characters; every other becomes `else` (nothing when it is not said). `a-z` is a range; a `-` at the end is itself.',
  argument: z.strictObject({
    keep: nonEmptyText.refine(
      (set) => characterSet(set) !== undefined,
      'has a range that runs backwards (write a-z, and a - itself at the end)',
    ),
    else: z.string().max(10).optional(),
  }),
  run: (argument) => {
    const isKept = characterSet(argument.keep) ?? (() => false)
    return (value) => {
      let kept = ''
      for (const character of value) kept += isKept(character) ? character : (argument.else ?? '')
      return kept
    }
  },
  examples: [
    ['zofie.nova', { keep: 'a-z0-9_-', else: '-' }, 'zofie-nova'],
    ['+33 1 23', { keep: '0-9' }, '33123'],
  ],
})

export interface SuffixSource {
  /** What the path named in `from` gives; undefined when it has no value. */
  readonly source: Json | undefined
  readonly length: number
}

export const uniqueSuffixArgument = z.strictObject({ from: z.string(), length: z.int().min(4).max(12) })

/** The argument names a path; here it is that path's value, as read from the resource. */
export const uniqueSuffix = text<SuffixSource>({
  kind: 'lossy',
  doc: 'With `-` and the first hex digits of the SHA-256 of another value (normally `id`): the same on every retry, unlike a counter.',
  argument: undefined,
  run:
    ({ source, length }) =>
    (value) => {
      if (source === undefined) return null
      const digest = createHash('sha256').update(String(source)).digest('hex')
      return `${value}-${digest.slice(0, length)}`
    },
  examples: [
    ['zofie-nova', { source: 'u-1', length: 6 }, 'zofie-nova-a24a7f'],
    ['zofie-nova', { source: undefined, length: 6 }, null],
  ],
})
