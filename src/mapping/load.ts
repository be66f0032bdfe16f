import type { DeclaredExtension } from '../extensions.ts'
import type { PlatformFacts } from '../facts.ts'
import { type LocatedMap, type PathPart, parseLocated, positionOf, toJson } from '../yaml/located.ts'
import type { FileProblem } from '../yaml/problems.ts'
import { fileBounds } from './bounds.ts'
import { compileMapping } from './compile.ts'
import { runExamples } from './examples.ts'
import { type Example, mappingFile } from './format.ts'
import { problemsOf } from './issues.ts'
import type { Mapping } from './mapping.ts'
import { merge } from './merge.ts'
import { MappingProblems } from './problems.ts'

export interface SourceFile {
  /** As it stands in messages. */
  readonly file: string
  readonly text: string
  /** What the text was parsed to, by whoever had to look into it before. */
  readonly parsed?: ParsedFile
}

export interface ParsedFile {
  /** Undefined when there is no map to go on with. */
  readonly root: LocatedMap | undefined
  readonly problems: readonly FileProblem[]
}

export function parseFile({ file, text, parsed }: SourceFile): ParsedFile {
  if (parsed !== undefined) return parsed
  const problems: FileProblem[] = []
  const root = parseLocated(file, text, (problem) => problems.push(problem), fileBounds)
  return { root, problems }
}

export interface LoadInput extends SourceFile {
  /** The file named by `extends`. */
  readonly base?: SourceFile
  readonly facts: PlatformFacts
  /** Of the connection that uses the mapping, where that is known. */
  readonly writeMode?: 'confirmed' | 'deferred'
  /** What that connection declares beyond the standard's schemas. */
  readonly extensions?: readonly DeclaredExtension[]
}

export interface LoadedMapping {
  readonly file: string
  readonly mapping: Mapping
  /** The file's own; those of a base are about the base alone. */
  readonly examples: readonly Example[]
  /** The file that it extends, as that is by itself. */
  readonly base?: LoadedMapping
}

/** Checks, compiles and runs the examples, of the base too. Throws `MappingProblems` with everything that is wrong. */
export function loadMapping(input: LoadInput): LoadedMapping {
  return compileFiles(input, ({ base, main }) =>
    [base, main].flatMap((compiled) => (compiled === undefined ? [] : failedExamples(compiled, input.facts))),
  )
}

/** As `loadMapping`, without running the examples. */
export function checkMapping(input: LoadInput): LoadedMapping {
  return compileFiles(input, () => [])
}

function compileFiles(
  input: LoadInput,
  furtherProblems: (compiled: {
    readonly base: CompiledFile | undefined
    readonly main: CompiledFile
  }) => FileProblem[],
): LoadedMapping {
  const problems: FileProblem[] = []
  const base = input.base && compileFile({ ...input.base, facts: input.facts }, problems)
  const main = compileFile(input, problems)
  if (main !== undefined && problems.length === 0) problems.push(...furtherProblems({ base, main }))
  if (main === undefined || problems.length > 0) throw new MappingProblems(problems)
  return base === undefined ? main.loaded : { ...main.loaded, base: base.loaded }
}

interface CompiledFile {
  readonly loaded: LoadedMapping
  readonly root: LocatedMap
}

/** Undefined when the file has not the shape of a mapping; other problems are reported beside a result. */
function compileFile(input: LoadInput, problems: FileProblem[]): CompiledFile | undefined {
  const report = (problem: FileProblem) => problems.push(problem)
  const source = parseFile(input)
  const baseSource = input.base && parseFile(input.base)
  const unreadable = [...source.problems, ...(baseSource?.problems ?? [])]
  problems.push(...unreadable)
  const [own, base] = [source.root, baseSource?.root]
  if (own === undefined || (baseSource !== undefined && base === undefined) || unreadable.length > 0) return undefined
  const reportAt = (root: LocatedMap) => (path: readonly PathPart[], message: string) => {
    report({ ...positionOf(root, path), path: path.join('.'), message })
  }
  checkExtends(own, base, reportAt)
  const root = base === undefined ? own : merge(base, own)
  const parsed = mappingFile.safeParse(toJson(root))
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error.issues, root))
    return undefined
  }
  const mapping = compileMapping(parsed.data, input.facts, reportAt(root), input.extensions)
  if (mapping.mode === 'invitation' && input.writeMode === 'confirmed') {
    const message = 'an invitation is answered before there is an account: the connection needs mode: deferred'
    reportAt(root)(['user', 'mode'], message)
  }
  return { loaded: { file: input.file, mapping, examples: parsed.data.examples }, root }
}

function checkExtends(
  own: LocatedMap,
  base: LocatedMap | undefined,
  reportAt: (root: LocatedMap) => (path: readonly PathPart[], message: string) => void,
): void {
  if (base === undefined) {
    if (own.entries.has('extends')) reportAt(own)(['extends'], 'the file that it names was not given')
    return
  }
  if (base.entries.has('extends')) reportAt(base)(['extends'], 'is extended itself: only one level is read')
  for (const key of ['version', 'platform']) {
    const [said, extended] = [own, base].map((root) => root.entries.get(key)?.value)
    if (said?.kind !== 'scalar' || extended?.kind !== 'scalar') continue
    if (said.value !== extended.value) reportAt(own)([key], `is not ${extended.value}, as in the file that it extends`)
  }
}

function failedExamples({ loaded, root }: CompiledFile, facts: PlatformFacts): FileProblem[] {
  return runExamples(loaded, facts).flatMap(({ ok, name, message }, index) => {
    if (ok) return []
    const path = ['examples', index]
    return [{ ...positionOf(root, path), path: path.join('.'), message: `${name}: ${message}` }]
  })
}
