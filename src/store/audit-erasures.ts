/**
 * The audit's own account of erasures: a line names those that a person was erased from, so that a line which somebody has
 * blanked by hand is told from them, and copies that were exported can be erased alike.
 */
import type { JsonObject } from '../json.ts'
import { erasedRangesPerLine } from '../limits.ts'

const action = 'erase'

/** Details of the lines that record an erasure: one, or as many as it takes. */
export function erasureDetails(users: number, erasedIds: readonly number[]): readonly JsonObject[] {
  const ranges = rangesOf([...erasedIds].sort((a, b) => a - b))
  const details: JsonObject[] = []
  for (let from = 0; from === 0 || from < ranges.length; from += erasedRangesPerLine) {
    const lines = ranges.slice(from, from + erasedRangesPerLine)
    const auditLines = lines.reduce((sum, [first, last]) => sum + last - first + 1, 0)
    details.push({ action, users, auditLines, lines })
  }
  return details
}

/** The first and the last of lines that follow each other. */
export type Range = readonly [first: number, last: number]

export type RecordedErasure =
  | { readonly kind: 'named'; readonly lines: readonly Range[] }
  /** Releases without salts have recorded how many lines they were, and not which. */
  | { readonly kind: 'counted'; readonly count: number }

/** Undefined: the line is about something else. */
export function recordedErasure(detail: JsonObject): RecordedErasure | undefined {
  const { auditLines, lines } = detail
  if (detail.action !== action) return undefined
  if (Array.isArray(lines)) return { kind: 'named', lines: lines.filter(isRange) }
  return typeof auditLines === 'number' ? { kind: 'counted', count: auditLines } : undefined
}

function rangesOf(sorted: readonly number[]): [first: number, last: number][] {
  const ranges: [number, number][] = []
  for (const id of sorted) {
    const range = ranges.at(-1)
    if (range !== undefined && range[1] === id - 1) range[1] = id
    else ranges.push([id, id])
  }
  return ranges
}

function isRange(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((id) => typeof id === 'number')
}
