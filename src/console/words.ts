/** Values and times as pages write them. */
import type { Json } from '../json.ts'

/** A value for people; nothing for none. */
export function plain(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Milliseconds, or ISO 8601 → `2026-03-01 08:00:00 UTC`. */
export function timeText(at: number | string | undefined): string {
  const text = time(at)
  return text === '' ? '–' : `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`
}

/** For machines, and for the attribute `datetime`. */
export function time(at: number | string | undefined): string {
  if (at === undefined) return ''
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
