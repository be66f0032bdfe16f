/** Mapping files from the disk. The only file of this folder that touches it. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { DeclaredExtension } from '../extensions.ts'
import type { PlatformFacts } from '../facts.ts'
import { childOf, positionOf } from '../yaml/located.ts'
import type { FileProblem } from '../yaml/problems.ts'
import { fileBounds } from './bounds.ts'
import { checkMapping, type LoadedMapping, type LoadInput, loadMapping, parseFile, type SourceFile } from './load.ts'
import { MappingProblems } from './problems.ts'

export type FactsOf = (platform: string) => PlatformFacts | undefined

export interface ReadOptions {
  /** The folder that `extends` cannot leave. Without it: the file's folder, or that folder's parent when it is called `connections`. */
  readonly mappingsRoot?: string
  readonly writeMode?: 'confirmed' | 'deferred'
  /** Of the connection that uses the mapping, where that is known. */
  readonly extensions?: readonly DeclaredExtension[]
  /** Only for the command that runs the examples itself. */
  readonly withoutExamples?: boolean
}

/** `extends: shipped:figshare` goes with each release, wherever the file that says so lies. */
const shippedMappings = join(import.meta.dirname, '..', '..', 'mappings')

/** More files than these are loaded anew each time. */
const maxRemembered = 100

interface Remembered {
  readonly own: string
  readonly facts: PlatformFacts
  readonly base: Base | undefined
  readonly loaded: LoadedMapping
}

/** Connections of one platform mostly have one mapping: as long as no text has changed, it is what it was. */
const remembered = new Map<string, Remembered>()

/** Reads a mapping file and the one that it extends. Throws `MappingProblems`, also when a file cannot be read. */
export function readMappingFile(path: string, factsOf: FactsOf, options: ReadOptions = {}): LoadedMapping {
  const text = readText(path, { file: path, line: 1, column: 1, path: '' })
  const { mappingsRoot, writeMode, extensions, withoutExamples } = options
  const key = JSON.stringify([path, mappingsRoot, writeMode, extensions, withoutExamples])
  const before = remembered.get(key)
  if (before !== undefined && isAsBefore(before, text, factsOf)) return before.loaded
  const { input, base } = readInput({ file: path, text }, factsOf, options)
  const loaded = options.withoutExamples === true ? checkMapping(input) : loadMapping(input)
  if (remembered.size >= maxRemembered) remembered.clear()
  remembered.set(key, { own: text, facts: input.facts, base, loaded })
  return loaded
}

function isAsBefore({ own, facts, base }: Remembered, text: string, factsOf: FactsOf): boolean {
  return own === text && facts === factsOf(facts.platform) && (base === undefined || base.text === base.textNow())
}

/** The file that another one extends. */
interface Base {
  readonly file: string
  readonly text: string
  readonly textNow: () => string
}

function readInput(
  source: SourceFile,
  factsOf: FactsOf,
  options: ReadOptions,
): { readonly input: LoadInput; readonly base: Base | undefined } {
  const path = source.file
  const parsed = parseFile(source)
  const { root, problems } = parsed
  if (root === undefined) throw new MappingProblems(problems)
  const refuse = (key: string, message: string): never => {
    throw new MappingProblems([...problems, { ...positionOf(root, [key]), path: key, message }])
  }
  const platform = childOf(root, ['platform'])
  if (platform?.kind !== 'scalar' || typeof platform.value !== 'string') return refuse('platform', 'is missing')
  const facts = factsOf(platform.value) ?? refuse('platform', `no platform '${platform.value}'`)
  const { writeMode, extensions } = options
  const input = { ...source, parsed, facts, ...(writeMode && { writeMode }), ...(extensions && { extensions }) }
  const named = childOf(root, ['extends'])
  if (named === undefined) return { input, base: undefined }
  if (named.kind !== 'scalar' || typeof named.value !== 'string') return refuse('extends', 'is not the name of a file')
  const position = { ...positionOf(root, ['extends']), path: 'extends' }
  const extending = (file: string, folder: string) => {
    const textNow = () => readText(file, position, folder)
    const base = { file, text: textNow(), textNow }
    return { input: { ...input, base: { file, text: base.text } }, base }
  }
  const shipped = /^shipped:([a-z]{1,32})$/.exec(named.value)?.[1]
  if (shipped !== undefined) return extending(join(shippedMappings, `${shipped}.yaml`), shippedMappings)
  const outside =
    'must name a file inside the mappings folder, as in ../figshare.yaml, or a shipped one, as in shipped:figshare'
  if (isAbsolute(named.value) || named.value.includes('\\')) return refuse('extends', outside)
  const basePath = join(dirname(path), named.value)
  const mappingsRoot = options.mappingsRoot ?? rootOf(path)
  if (!isInside(basePath, mappingsRoot)) return refuse('extends', outside)
  return extending(basePath, mappingsRoot)
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
