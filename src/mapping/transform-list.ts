/** How transforms are written in a file, and how a written one becomes a step. */
import * as z from 'zod'
import type { Json } from '../json.ts'
import type { CompiledTransform, Path, ScimLookup } from './mapping.ts'
import {
  after,
  before,
  collapseSpaces,
  type Declaration,
  keep,
  lower,
  not,
  prefix,
  replace,
  stripDiacritics,
  suffix,
  toNumber,
  toText,
  trim,
  truncate,
  uniqueSuffix,
  uniqueSuffixArgument,
  upper,
} from './transforms.ts'

/** Written as a bare word: `[trim, lower]`. */
export const bareTransforms: ReadonlyMap<string, Declaration<undefined>> = new Map([
  ['trim', trim],
  ['lower', lower],
  ['upper', upper],
  ['collapse_spaces', collapseSpaces],
  ['strip_diacritics', stripDiacritics],
  ['not', not],
  ['to_string', toText],
  ['to_number', toNumber],
])

/** Written with an argument: `{ truncate: 40 }`. */
const withArgument = [
  z.strictObject({ prefix: argumentOf(prefix) }),
  z.strictObject({ suffix: argumentOf(suffix) }),
  z.strictObject({ truncate: argumentOf(truncate) }),
  z.strictObject({ before: argumentOf(before) }),
  z.strictObject({ after: argumentOf(after) }),
  z.strictObject({ replace: argumentOf(replace) }),
  argumentOf(keep),
  z.strictObject({ unique_suffix: uniqueSuffixArgument }),
] as const

export const argumentNames = ['prefix', 'suffix', 'truncate', 'before', 'after', 'replace', 'keep', 'unique_suffix']
export const transformNames: readonly string[] = [...bareTransforms.keys(), ...argumentNames]

export const writtenTransform = z.union([z.enum([...bareTransforms.keys()]), ...withArgument])
export type WrittenTransform = z.infer<typeof writtenTransform>

function argumentOf<Argument>(declaration: Declaration<Argument>): z.ZodType<Argument> {
  if (declaration.argument === undefined) throw new Error('a bare transform has no argument')
  return declaration.argument
}

/** `pathOf` compiles the path that `unique_suffix` names; undefined when it is none (already reported). */
export function compileTransform(
  written: WrittenTransform,
  pathOf: (text: string) => Path | undefined,
): CompiledTransform | undefined {
  if (typeof written === 'string') {
    const declaration = bareTransforms.get(written)
    return declaration && compiled(written, declaration, undefined)
  }
  if ('prefix' in written) return compiled('prefix', prefix, written.prefix)
  if ('suffix' in written) return compiled('suffix', suffix, written.suffix)
  if ('truncate' in written) return compiled('truncate', truncate, written.truncate)
  if ('before' in written) return compiled('before', before, written.before)
  if ('after' in written) return compiled('after', after, written.after)
  if ('replace' in written) return compiled('replace', replace, written.replace)
  if ('keep' in written) return compiled('keep', keep, written)
  const { from, length } = written.unique_suffix
  const path = pathOf(from)
  if (path === undefined) return undefined
  return {
    name: 'unique_suffix',
    kind: uniqueSuffix.kind,
    run: (value: Json, scim: ScimLookup) => uniqueSuffix.run({ source: scim(path), length })(value),
  }
}

function compiled<Argument>(name: string, declaration: Declaration<Argument>, argument: Argument): CompiledTransform {
  const { kind } = declaration
  const run = declaration.run(argument)
  const back = kind === 'same' ? (value: Json) => value : declaration.back?.(argument)
  return { name, kind, run, ...(back && { back }) }
}
