import { randomBytes } from 'node:crypto'

/**
 * A new id of a resource: a UUID that begins with the time (RFC 9562 §5.7, version 7). People who come together then stand
 * together in every index: a create touches few pages, and a page of a list reads few. With random ids each row of a large
 * store costs pages of its own. 74 bits are random, so that nobody guesses an id; `now`: milliseconds since 1970.
 */
export function newResourceId(now: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
