import { hash, timingSafeEqual } from 'node:crypto'

/** Secrets are compared by their digests: of equal length, so that the comparison takes the same time for all. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Every digest is compared, each in constant time: the time tells neither which one fits nor how far one did. Answers the index, or -1. */
export function indexOfDigest(known: readonly Buffer[], presented: Buffer): number {
  let found = -1
  for (const [index, digest] of known.entries()) {
    if (timingSafeEqual(digest, presented)) found = index
  }
  return found
}
