import { randomUUID } from 'node:crypto'

/**
 * A new id of a resource: a UUID that begins with the time (RFC 9562 §5.7, version 7). People who come together then stand
 * together in every index: a create touches few pages, and a page of a list reads few. With random ids each row of a large
 * store costs pages of its own. 74 bits are random, so that nobody guesses an id; `now`: milliseconds since 1970.
 */
export function newResourceId(now: number): string {
  const time = now.toString(16).padStart(12, '0')
  // All but the version of a random one, of which Node keeps a supply: variant and random bits stand where they are to be.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
