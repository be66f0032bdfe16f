import type { AttributeFact } from '../facts.ts'
import type { Json } from '../json.ts'
import type { PathPart } from '../yaml/located.ts'
import { listed } from '../yaml/suggest.ts'
import { pathsPerRule } from './bounds.ts'
import type { Report } from './compile.ts'
import type { WrittenRule, WrittenTest } from './format.ts'
import type { CompiledTransform, Path, Rule, Source, Table, Test } from './mapping.ts'
import { neverEqual, parseAnyPath, parsePath, type Qualifiers } from './paths.ts'
import { pathsOf } from './rule-value.ts'
import { compileTransform } from './transform-list.ts'

export interface RuleContext {
  readonly attribute: string
  readonly fact: AttributeFact
  readonly qualifiers: Qualifiers
  readonly tables: ReadonlyMap<string, Table>
  /** Of the rule in the file. */
  readonly path: readonly PathPart[]
  readonly report: Report
}

export type AnyWrittenRule = string | readonly string[] | WrittenRule

/** The rule in long form. */
export function longRule(written: AnyWrittenRule): WrittenRule {
  return typeof written === 'string' || isList(written) ? { from: [written].flat() } : written
}

function isList(written: AnyWrittenRule): written is readonly string[] {
  return Array.isArray(written)
}

/** Undefined when there is no telling what the rule means (reported). */
export function compileRule(context: RuleContext, anyWritten: AnyWrittenRule): Rule | undefined {
  const written = longRule(anyWritten)
  const isShort = written !== anyWritten
  const source = compileSource(context, written, isShort)
  const transforms = compileTransforms(context, written)
  const table = written.table === undefined ? undefined : context.tables.get(written.table)
  if (written.table !== undefined && table === undefined) {
    const known = listed(context.tables.keys())
    context.report([...context.path, 'table'], `no table named '${written.table}' (have ${known})`)
  }
  if (source === undefined) return undefined
  const paths = pathsOf(source)
  if (paths.length > pathsPerRule)
    context.report(context.path, `has ${paths.length} paths, at most ${pathsPerRule} are read`)
  return {
    attribute: context.attribute,
    fact: context.fact,
    source,
    transforms,
    table,
    default: written.default,
    required: written.required ?? false,
    write: written.write ?? 'always',
    onChange: written.on_change ?? 'apply',
    empty: written.empty ?? 'clear',
    read: compileRead(context, written, source),
    describe: written.describe,
  }
}

const sourceKeys = ['from', 'const', 'join', 'when'] as const

function compileSource(context: RuleContext, written: WrittenRule, isShort: boolean): Source | undefined {
  const found = sourceKeys.filter((key) => written[key] !== undefined)
  if (found.length !== 1) {
    const what = found.length === 0 ? 'none' : found.join(', ')
    context.report(context.path, `say exactly one of from, const, join, when (found ${what})`)
    return undefined
  }
  if (written.else !== undefined && written.when === undefined) {
    context.report([...context.path, 'else'], 'goes only with when')
  }
  if (written.from !== undefined) {
    const isOne = typeof written.from === 'string'
    const where = isShort ? context.path : [...context.path, 'from']
    const paths = [written.from].flat().map((text, index) => {
      const isItem = isShort ? [written.from].flat().length > 1 : !isOne
      return pathAt(context, text, isItem ? [...where, index] : where)
    })
    return { kind: 'from', paths: paths.filter((path) => path !== undefined) }
  }
  if (written.const !== undefined) return { kind: 'const', value: written.const }
  if (written.join !== undefined) {
    const parts = written.join.map((part, index) => {
      if (typeof part !== 'string') return { text: part.text }
      const path = pathAt(context, part, [...context.path, 'join', index])
      return path && { path }
    })
    if (written.join.every((part) => typeof part !== 'string')) {
      context.report([...context.path, 'join'], 'has no path: say const')
    }
    return { kind: 'join', parts: parts.filter((part) => part !== undefined) }
  }
  const branches = (written.when ?? []).map((branch, index) => {
    const test = compileTest(context, branch.if, [...context.path, 'when', index, 'if'])
    const value: Json = branch.value
    return test && { if: test, value }
  })
  return { kind: 'when', branches: branches.filter((branch) => branch !== undefined), else: written.else }
}

const testKeys = ['equals', 'one_of', 'present', 'starts_with', 'ends_with'] as const

function compileTest(context: RuleContext, written: WrittenTest, at: readonly PathPart[]): Test | undefined {
  const found = testKeys.filter((key) => written[key] !== undefined)
  if (found.length !== 1) {
    const what = found.length === 0 ? 'none' : found.join(', ')
    context.report(at, `say exactly one of ${testKeys.join(', ')} (found ${what})`)
    return undefined
  }
  const parsed = (written.present === undefined ? parsePath : parseAnyPath)(written.path, context.qualifiers)
  if ('problem' in parsed) {
    context.report([...at, 'path'], parsed.problem)
    return undefined
  }
  const { path } = parsed
  const { type } = path
  const values = [written.equals, ...(written.one_of ?? []), written.starts_with, written.ends_with]
  const wrong = values.flatMap((value) =>
    value === undefined ? [] : ((type && neverEqual(path.text, type, value)) ?? []),
  )
  if (wrong[0] !== undefined) context.report([...at, ...found], wrong[0])
  if (written.equals !== undefined) return { kind: 'equals', path, value: written.equals }
  if (written.one_of !== undefined) return { kind: 'one_of', path, values: written.one_of }
  if (written.present !== undefined) return { kind: 'present', path, value: written.present }
  if (written.starts_with !== undefined) return { kind: 'starts_with', path, value: written.starts_with }
  return { kind: 'ends_with', path, value: written.ends_with ?? '' }
}

function compileTransforms(context: RuleContext, written: WrittenRule): CompiledTransform[] {
  const compiled = (written.transform ?? []).map((transform, index) =>
    compileTransform(transform, (text) => pathAt(context, text, [...context.path, 'transform', index])),
  )
  return compiled.filter((transform) => transform !== undefined)
}

function compileRead(context: RuleContext, written: WrittenRule, source: Source): readonly Path[] {
  const { read = 'auto' } = written
  if (read === 'never') return []
  if (read === 'auto') {
    const [first] = source.kind === 'from' ? source.paths : []
    // The id is the bridge's own: no account can say what it is.
    return first === undefined || first.text.toLowerCase() === 'id' ? [] : [first]
  }
  const paths = read.map((text, index) => pathAt(context, text, [...context.path, 'read', index]))
  return paths.filter((path) => path !== undefined)
}

function pathAt(context: RuleContext, text: string, at: readonly PathPart[]): Path | undefined {
  const parsed = parsePath(text, context.qualifiers)
  if ('path' in parsed) return parsed.path
  context.report(at, parsed.problem)
  return undefined
}
