/** What zod found, in the words of the person who writes the file. Never with the value: it may be a secret. */
import type { z } from 'zod'
import { suggestion } from '../yaml/suggest.ts'
import type { PathPart, Report } from './references.ts'

export interface IssueContext {
  readonly report: Report
  /** Whether something stands at this place. */
  readonly isWritten: (path: readonly PathPart[]) => boolean
  /** Keys that are known at this place, for suggestions. */
  readonly knownKeys: (path: readonly PathPart[]) => readonly string[]
}

/** Reports every issue at its place; `place` is where the checked value stands in the file. */
export function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  place: readonly PathPart[],
  context: IssueContext,
): void {
  for (const issue of issues) {
    const path = [...place, ...issue.path.map(asPart)]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        context.report([...path, key], `unknown key${suggestion(key, context.knownKeys(path))}`)
    } else if (issue.code === 'invalid_union' && context.isWritten(path)) {
      // What is wrong inside a map, or with a text that has a form of its own, says more than that it fits no form.
      const isTelling = (one: z.core.$ZodIssue) =>
        one.path.length > 0 || one.code === 'unrecognized_keys' || one.code === 'custom'
      const inner = issue.errors.flat().filter(isTelling)
      if (inner.length === 0) context.report(path, issue.message)
      else reportIssues(inner, path, context)
    } else context.report(path, context.isWritten(path) ? messageOf(issue) : 'is missing')
  }
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  if (issue.code === 'invalid_value') return `has to be one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return `has to be ${kinds.get(issue.expected) ?? issue.expected}`
  if (issue.code === 'too_small' && issue.origin === 'array') return 'has to have at least one entry'
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.minimum === 1) return 'is empty'
  if (issue.code === 'too_small' && isNumber(issue.origin))
    return `has to be ${bound('at least', 'more than', issue.inclusive)} ${issue.minimum}`
  if (issue.code === 'too_big' && isNumber(issue.origin))
    return `has to be ${bound('at most', 'less than', issue.inclusive)} ${issue.maximum}`
  if (issue.code === 'too_big' && issue.origin === 'array') return `has to have at most ${issue.maximum} entries`
  return issue.message
}

const kinds: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['int', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
])

function isNumber(origin: string): boolean {
  return origin === 'number' || origin === 'int'
}

function bound(inclusive: string, exclusive: string, isInclusive: boolean | undefined): string {
  return isInclusive === false ? exclusive : inclusive
}

function asPart(part: PropertyKey): PathPart {
  return typeof part === 'number' ? part : String(part)
}
