/**
 * The form in which names and e-mails are compared: NFKC and lower case, so that `ÅSA@x`, `åsa@x` and a full-width
 * spelling are one. Normalised again at the end, because lower case of a composed letter may be decomposed.
 */
export function foldKey(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}

/**
 * The first text beyond all those that begin with this one, by code points: the order of UTF-8 bytes is the same. Undefined
 * when there is none.
 */
export function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix]
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const next = (last.codePointAt(0) ?? 0) + 1
    // Halves of surrogate pairs are no code points of a text.
    if (next <= 0x10_ffff) return points.join('') + String.fromCodePoint(next === 0xd800 ? 0xe000 : next)
  }
  return undefined
}
