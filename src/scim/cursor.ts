/**
 * Cursors (RFC 9865): where a walk is, as a text of unreserved characters that only this connection can make. Nothing is
 * kept of a walk; its key lies in the store, so that cursors outlive a restart and are the same for all processes.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Problem } from '../errors.ts'
import { cursorKeyLength, cursorSeconds } from '../limits.ts'
import type { SortKey } from './sort.ts'

export interface CursorPlace {
  /** Which of the types that the walk goes through. */
  readonly type: number
  readonly key: SortKey
  readonly seq: number
}

export interface Cursor {
  readonly direction: 'next' | 'previous'
  /** The row that the page before ends with, or the one after begins with; undefined: the start. */
  readonly place: CursorPlace | undefined
  /** Of the first page; it stays. */
  readonly count: number
}

export interface CursorCodec {
  write(cursor: Cursor): string
  /** Throws `Problem` 400 `invalidCursor` or `expiredCursor`. */
  read(text: string): Cursor
}

const tagBytes = 16
/** Longer than any that we make. */
const textLength = 4 * cursorKeyLength + 1_000

/** `walk` is everything that has to stay the same from page to page. `now`: milliseconds since 1970. */
export function createCursors(key: Buffer, walk: readonly unknown[], now: number): CursorCodec {
  const tagOf = (payload: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([walk, payload]))
      .digest()
      .subarray(0, tagBytes)
  return {
    write({ direction, place, count }) {
      const fields = [direction === 'next' ? 1 : 0, count, now + cursorSeconds * 1_000]
      const where = place === undefined ? [] : [place.type, place.seq, ...writeKey(place.key)]
      const payload = Buffer.from(JSON.stringify([...fields, ...where])).toString('base64url')
      return `${payload}.${tagOf(payload).toString('base64url')}`
    },
    read(text) {
      const [payload = '', tag = '', ...others] = text.length > textLength ? [] : text.split('.')
      const sent = Buffer.from(tag, 'base64url')
      const isOurs = others.length === 0 && sent.length === tagBytes && timingSafeEqual(sent, tagOf(payload))
      // Buffer reads base64 of any spelling; only the one that we wrote is taken.
      if (!isOurs || sent.toString('base64url') !== tag) {
        throw new Problem(
          400,
          'invalidCursor',
          'The cursor is not of this list; begin with an empty one, and keep filter, sortBy and sortOrder as they are.',
        )
      }
      const fields: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
      if (!Array.isArray(fields)) throw new Error('a cursor of ours is no list')
      const [isNext, count, expiresAt, type, seq, kind, key] = fields
      if (now > expiresAt) {
        throw new Problem(400, 'expiredCursor', `The cursor is older than ${cursorSeconds} seconds; begin anew.`)
      }
      const place = type === undefined ? undefined : { type, seq, key: readKey(kind, key) }
      return { direction: isNext === 1 ? 'next' : 'previous', place, count }
    },
  }
}

function writeKey(key: SortKey): readonly unknown[] {
  if (key === undefined) return []
  if (typeof key === 'bigint') return ['time', String(key)]
  if (typeof key === 'string' && key.length > cursorKeyLength) {
    throw new Problem(
      400,
      'invalidValue',
      `A value of sortBy is longer than ${cursorKeyLength} characters: such a list has no cursor; use startIndex.`,
    )
  }
  return ['plain', key]
}

function readKey(kind: unknown, key: unknown): SortKey {
  if (kind === 'time' && typeof key === 'string') return BigInt(key)
  return typeof key === 'string' || typeof key === 'number' ? key : undefined
}
