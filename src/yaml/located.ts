/**
 * YAML as a tree that remembers where everything was written. Strict: what could say one thing and mean another
 * (duplicate keys, aliases, tags, merge keys, a second document) is a problem, and so are the keys that reach a prototype.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Json, JsonObject } from '../json.ts'
import type { FileProblem, Position } from './problems.ts'

export type Located = LocatedMap | LocatedList | LocatedScalar
export interface LocatedMap extends Position {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, LocatedEntry>
}
export interface LocatedEntry {
  readonly key: Position
  readonly value: Located
}
export interface LocatedList extends Position {
  readonly kind: 'list'
  readonly items: readonly Located[]
}
export interface LocatedScalar extends Position {
  readonly kind: 'scalar'
  readonly value: null | boolean | number | string
}

export type PathPart = string | number

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

/** Problems are reported through `report`; undefined when there is no map to go on with. */
export function parseLocated(
  file: string,
  text: string,
  report: (problem: FileProblem) => void,
  bounds: { readonly bytes: number; readonly depth: number },
): LocatedMap | undefined {
  const start: Position = { file, line: 1, column: 1 }
  const bytes = Buffer.byteLength(text)
  if (bytes > bounds.bytes) {
    report({ ...start, path: '', message: `the file has ${bytes} bytes, at most ${bounds.bytes} are read` })
    return undefined
  }
  const lines = new LineCounter()
  // The parser compares every key with every other; duplicates are found below, in a Map.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'error' })
  const at = (offset: number | undefined): Position => {
    const { line, col } = lines.linePos(offset ?? 0)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  for (const error of document.errors) {
    const message = error.code === 'MULTIPLE_DOCS' ? 'a file holds one document' : firstLine(error.message)
    report({ ...at(error.pos[0]), path: '', message })
  }
  if (document.errors.length > 0) return undefined
  if (document.directives?.yaml.explicit === true) {
    report({ ...start, path: '', message: 'directives (%YAML) are not read: drop the line' })
    return undefined
  }
  const builder = { at, report, depth: bounds.depth }
  const root = locate(builder, document.contents, [], start)
  if (root?.kind === 'map') return root
  if (root !== undefined) report({ ...start, path: '', message: 'the file is a map of keys and values' })
  return undefined
}

interface Builder {
  at(offset: number | undefined): Position
  report(problem: FileProblem): void
  readonly depth: number
}

function locate(builder: Builder, node: unknown, path: readonly PathPart[], fallback: Position): Located | undefined {
  const refuse = (position: Position, message: string, name: readonly PathPart[] = path): undefined => {
    builder.report({ ...position, path: name.join('.'), message })
  }
  if (node === null || node === undefined) return { ...fallback, kind: 'scalar', value: null }
  if (isAlias(node)) return refuse(builder.at(node.range?.[0]), 'aliases are not read: write the value out')
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return refuse(fallback, 'is not a value')
  const position = node.range ? builder.at(node.range[0]) : fallback
  if (node.anchor !== undefined) refuse(position, 'anchors are not read: drop it and write the value out')
  if (node.tag !== undefined) refuse(position, 'tags are not read: drop it')
  if (path.length > builder.depth) return refuse(position, `is nested more than ${builder.depth} deep`)
  if (isScalar(node)) {
    const { value } = node
    if (value === null || typeof value === 'boolean' || typeof value === 'string') {
      return { ...position, kind: 'scalar', value }
    }
    if (typeof value === 'number' && Number.isFinite(value) && isExact(value)) {
      return { ...position, kind: 'scalar', value }
    }
    return refuse(position, 'is not text, a number, true, false or null')
  }
  if (isSeq(node)) {
    const items = node.items.map((item, index) => locate(builder, item, [...path, index], position))
    return { ...position, kind: 'list', items: items.filter((item) => item !== undefined) }
  }
  const entries = new Map<string, LocatedEntry>()
  for (const pair of node.items) {
    const keyPosition =
      isScalar(pair.key) || isMap(pair.key) || isSeq(pair.key) ? builder.at(pair.key.range?.[0]) : position
    if (!isScalar(pair.key) || pair.key.value === null) {
      refuse(keyPosition, 'a key is text')
      continue
    }
    if (pair.key.anchor !== undefined) refuse(keyPosition, 'anchors are not read: drop it and write the value out')
    if (pair.key.tag !== undefined) refuse(keyPosition, 'tags are not read: drop it')
    // `4711: x` and `no: x` mean the text that stands there, as table keys are compared with text.
    const name = typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value))
    const here = [...path, name]
    if (forbiddenKeys.has(name)) {
      refuse(keyPosition, 'is no key', here)
      continue
    }
    if (name === '<<') {
      refuse(keyPosition, 'merge keys are not read: write the keys out', here)
      continue
    }
    if (entries.has(name)) {
      refuse(keyPosition, 'is said twice: drop one', here)
      continue
    }
    const value = locate(builder, pair.value, here, keyPosition)
    if (value !== undefined) entries.set(name, { key: keyPosition, value })
  }
  return { ...position, kind: 'map', entries }
}

/** Larger whole numbers are rounded by the parser: an id would become another id. */
function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value)
}

/** The parser's messages go on with a drawing of the line; we name the place ourselves. */
function firstLine(message: string): string {
  const line = message.split('\n', 1)[0] ?? message
  return line.replace(/ at line \d+, column \d+:?$/, '')
}

export function toJson(node: Located): Json {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(toJson)
  const object: JsonObject = {}
  // `__proto__` was refused above, so an assignment makes an own property.
  for (const [name, { value }] of node.entries) object[name] = toJson(value)
  return object
}

/** Where `path` was written: the key of a map's entry, the item of a list; as far as the path exists. */
export function positionOf(root: Located, path: readonly PathPart[]): Position {
  let node: Located = root
  let position: Position = root
  for (const part of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(part))
      if (entry === undefined) break
      position = entry.key
      node = entry.value
    } else if (node.kind === 'list') {
      const item = typeof part === 'number' ? node.items[part] : undefined
      if (item === undefined) break
      position = item
      node = item
    } else break
  }
  return { file: position.file, line: position.line, column: position.column }
}

export function childOf(root: Located, path: readonly PathPart[]): Located | undefined {
  let node: Located | undefined = root
  for (const part of path) {
    if (node?.kind === 'map') node = node.entries.get(String(part))?.value
    else if (node?.kind === 'list' && typeof part === 'number') node = node.items[part]
    else return undefined
  }
  return node
}
