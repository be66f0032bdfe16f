/** A point in time in nanoseconds since 1970. Entra sends seven digits of a second, more than a `Date` holds. */
export type Instant = bigint

const nanosPerMs = 1_000_000n
/** `9999-12-31T23:59:59+14:00` with nine digits of a second has 35 characters. */
const maxLength = 64

/**
 * An XML Schema dateTime as RFC 7643 §2.3.5 asks for: `2026-01-31T23:59:59[.fraction][Z|±hh:mm]`. Without a zone it is
 * UTC; digits beyond the nanosecond are dropped. Undefined for anything else, and for days that no calendar has.
 */
export function parseInstant(text: string): Instant | undefined {
  if (text.length > maxLength || text.length < 19) return undefined
  if (text[4] !== '-' || text[7] !== '-' || !'Tt '.includes(text[10] ?? '')) return undefined
  if (text[13] !== ':' || text[16] !== ':') return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  if (year === undefined || month === undefined || day === undefined) return undefined
  if (hour === undefined || minute === undefined || second === undefined) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // Overflow moves the date on: 30 February would pass for 2 March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, minute, second)
  const fractionEnd = text[19] === '.' ? endOfDigits(text, 20) : 19
  if (fractionEnd === 20) return undefined
  const offset = offsetMinutes(text.slice(fractionEnd))
  if (offset === undefined) return undefined
  const nanos = BigInt(text.slice(20, fractionEnd).slice(0, 9).padEnd(9, '0'))
  return BigInt(date.getTime() - offset * 60_000) * nanosPerMs + nanos
}

/**
 * ISO 8601 in UTC with milliseconds, as the store keeps times; between two of them the earlier (`down`) or later (`up`).
 * Undefined outside the years 0 to 9999, whose texts do not sort like times.
 */
export function formatInstant(instant: Instant, rounding: 'down' | 'up'): string | undefined {
  const rest = ((instant % nanosPerMs) + nanosPerMs) % nanosPerMs
  const floor = (instant - rest) / nanosPerMs
  const text = new Date(Number(rest > 0n && rounding === 'up' ? floor + 1n : floor)).toISOString()
  return text.length === 24 ? text : undefined
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === '' || zone === 'Z' || zone === 'z') return 0
  if (zone.length !== 6 || zone[3] !== ':' || (zone[0] !== '+' && zone[0] !== '-')) return undefined
  const hours = digits(zone, 1, 3)
  const minutes = digits(zone, 4, 6)
  if (hours === undefined || minutes === undefined || hours > 14 || minutes > 59) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

function digits(text: string, from: number, to: number): number | undefined {
  return endOfDigits(text, from) < to ? undefined : Number(text.slice(from, to))
}

function endOfDigits(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
  return at
}
