/** What zod found wrong, in the words of a mapping file's author. */
import type * as z from 'zod'
import { isJsonObject, type Json } from '../json.ts'
import { childOf, type Located, type PathPart, positionOf, toJson } from '../yaml/located.ts'
import type { FileProblem } from '../yaml/problems.ts'
import { listed, nearest, suggestion } from '../yaml/suggest.ts'
import { argumentNames, bareTransforms, transformNames } from './transform-list.ts'
import { shown, wordFor } from './values.ts'

type Issue = z.core.$ZodIssue

interface Finding {
  readonly path: readonly PathPart[]
  readonly message: string
}

export function problemsOf(issues: readonly Issue[], root: Located): FileProblem[] {
  return issues
    .flatMap((issue) => findingsOf(issue, [], root))
    .map(({ path, message }) => ({ ...positionOf(root, path), path: path.join('.'), message }))
}

function findingsOf(issue: Issue, above: readonly PathPart[], root: Located): Finding[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  const node = childOf(root, path)
  const value = node === undefined ? undefined : toJson(node)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key${suggestion(key, issue.message.split(' '))}`,
    }))
  }
  if (value === undefined) return [{ path, message: 'is missing' }]
  if (issue.code === 'invalid_union') return findingsOfUnion(issue.errors, path, value, root)
  return [{ path, message: messageOf(issue, value) }]
}

function findingsOfUnion(
  branches: readonly (readonly Issue[])[],
  path: readonly PathPart[],
  value: Json,
  root: Located,
): Finding[] {
  if (path.at(-2) === 'transform') {
    const name = isJsonObject(value) ? argumentNames.find((known) => Object.hasOwn(value, known)) : undefined
    if (name === undefined) return [{ path, message: noTransform(value) }]
    const branch = branches[argumentNames.indexOf(name) + 1]
    if (branch !== undefined) return branch.flatMap((issue) => findingsOf(issue, path, root))
  }
  const furthest = branches
    .filter((branch) => branch.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'))
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
  if (furthest !== undefined) return furthest.flatMap((issue) => findingsOf(issue, path, root))
  const choices = branches.flat().flatMap((issue) => (issue.path.length === 0 ? expected(issue) : []))
  return [{ path, message: `is ${wordFor(value)}, but must be ${[...new Set(choices)].join(' or ')}` }]
}

function depth(branch: readonly Issue[]): number {
  return Math.max(0, ...branch.map((issue) => issue.path.length))
}

function noTransform(value: Json): string {
  const written = isJsonObject(value) ? (Object.keys(value)[0] ?? '') : typeof value === 'string' ? value : ''
  if (typeof value === 'string' && argumentNames.includes(value)) return `'${value}' needs an argument: { ${value}: … }`
  if (isJsonObject(value) && bareTransforms.has(written)) return `'${written}' has no argument: write ${written}`
  const near = nearest(written, transformNames)
  const hint = near === undefined ? `have ${listed(transformNames, 3)}` : `did you mean ${near}?`
  return `no transform ${shown(written)} (${hint})`
}

function messageOf(issue: Issue, value: Json): string {
  switch (issue.code) {
    case 'invalid_type':
      return `is ${wordFor(value)}, but must be ${expected(issue).join(' or ')}`
    case 'invalid_value': {
      const allowed = issue.values.map(String)
      const near = typeof value === 'string' ? nearest(value, allowed) : undefined
      const hint = near === undefined ? '' : ` (did you mean ${near}?)`
      return `${shown(value)} is not ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}${hint}`
    }
    case 'too_big':
      return `is too large or too many: at most ${issue.maximum}`
    case 'too_small':
      return Array.isArray(value) || typeof value === 'string' ? 'is empty' : `is too small: at least ${issue.minimum}`
    default:
      return issue.message
  }
}

const words = new Map([
  ['string', 'text'],
  ['object', 'a map'],
  ['record', 'a map'],
  ['array', 'a list'],
  ['boolean', 'true or false'],
  ['int', 'a whole number'],
  ['number', 'a number'],
])

function expected(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [words.get(issue.expected) ?? issue.expected]
  if (issue.code === 'invalid_value') return [issue.values.map(String).join(', ')]
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(expected)
  return []
}
