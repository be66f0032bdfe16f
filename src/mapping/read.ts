/** Mapping files from the disk. The only file of this folder that touches it. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { PlatformFacts } from '../facts.ts'
import { childOf, parseLocated, positionOf } from '../yaml/located.ts'
import type { FileProblem } from '../yaml/problems.ts'
import { fileBounds } from './bounds.ts'
import { checkMapping, type LoadedMapping, type LoadInput, loadMapping, type SourceFile } from './load.ts'
import { MappingProblems } from './problems.ts'

export type FactsOf = (platform: string) => PlatformFacts | undefined

export interface ReadOptions {
  /** The folder that `extends` cannot leave. Without it: the file's folder, or that folder's parent when it is called `connections`. */
  readonly mappingsRoot?: string
  readonly writeMode?: 'confirmed' | 'deferred'
  /** Only for the command that runs the examples itself. */
  readonly withoutExamples?: boolean
}

/** `extends: shipped:figshare` goes with each release, wherever the file that says so lies. */
const shippedMappings = join(import.meta.dirname, '..', '..', 'mappings')

/** Reads a mapping file and the one that it extends. Throws `MappingProblems`, also when a file cannot be read. */
export function readMappingFile(path: string, factsOf: FactsOf, options: ReadOptions = {}): LoadedMapping {
  const input = readInput(path, factsOf, options)
  return options.withoutExamples === true ? checkMapping(input) : loadMapping(input)
}

function readInput(path: string, factsOf: FactsOf, options: ReadOptions): LoadInput {
  const own: SourceFile = { file: path, text: readText(path, { file: path, line: 1, column: 1, path: '' }) }
  const problems: FileProblem[] = []
  const root = parseLocated(path, own.text, (problem) => problems.push(problem), fileBounds)
  if (root === undefined) throw new MappingProblems(problems)
  const refuse = (key: string, message: string): never => {
    throw new MappingProblems([...problems, { ...positionOf(root, [key]), path: key, message }])
  }
  const platform = childOf(root, ['platform'])
  if (platform?.kind !== 'scalar' || typeof platform.value !== 'string') return refuse('platform', 'is missing')
  const facts = factsOf(platform.value) ?? refuse('platform', `no platform '${platform.value}'`)
  const { writeMode } = options
  const input = { ...own, facts, ...(writeMode && { writeMode }) }
  const named = childOf(root, ['extends'])
  if (named === undefined) return input
  if (named.kind !== 'scalar' || typeof named.value !== 'string') return refuse('extends', 'is not the name of a file')
  const position = { ...positionOf(root, ['extends']), path: 'extends' }
  const shipped = /^shipped:([a-z]{1,32})$/.exec(named.value)?.[1]
  if (shipped !== undefined) {
    const basePath = join(shippedMappings, `${shipped}.yaml`)
    return { ...input, base: { file: basePath, text: readText(basePath, position, shippedMappings) } }
  }
  const outside =
    'must name a file inside the mappings folder, as in ../figshare.yaml, or a shipped one, as in shipped:figshare'
  if (isAbsolute(named.value) || named.value.includes('\\')) return refuse('extends', outside)
  const basePath = join(dirname(path), named.value)
  const mappingsRoot = options.mappingsRoot ?? rootOf(path)
  if (!isInside(basePath, mappingsRoot)) return refuse('extends', outside)
  return { ...input, base: { file: basePath, text: readText(basePath, position, mappingsRoot) } }
}

function rootOf(path: string): string {
  const folder = dirname(resolve(path))
  return basename(folder) === 'connections' ? dirname(folder) : folder
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function readText(path: string, where: Omit<FileProblem, 'message'>, mappingsRoot?: string): string {
  const refuse = (message: string): never => {
    throw new MappingProblems([{ ...where, message }])
  }
  try {
    // A link inside the folder may point out of it.
    if (mappingsRoot !== undefined && !isInside(realpathSync(path), realpathSync(mappingsRoot))) {
      return refuse('is a link to a file outside the mappings folder')
    }
    const found = statSync(path)
    if (!found.isFile()) return refuse(`${path} is not a file`)
    if (found.size > fileBounds.bytes)
      return refuse(`the file has ${found.size} bytes, at most ${fileBounds.bytes} are read`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof MappingProblems) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return refuse(`${path} cannot be read (${code})`)
  }
}
