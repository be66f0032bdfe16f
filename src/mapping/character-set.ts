/** A set of characters as `keep` writes it: `a-z0-9_-`. Not a pattern: nothing but characters and ranges. */

/** Undefined when a range runs backwards. */
export function characterSet(text: string): ((character: string) => boolean) | undefined {
  const characters = [...text]
  const single = new Set<string>()
  const ranges: (readonly [number, number])[] = []
  for (let position = 0; position < characters.length; position++) {
    const character = characters[position] ?? ''
    const end = characters[position + 2]
    if (characters[position + 1] !== '-' || end === undefined) {
      single.add(character)
      continue
    }
    const [first, last] = [codeOf(character), codeOf(end)]
    if (last < first) return undefined
    ranges.push([first, last])
    position += 2
  }
  return (character) => {
    if (single.has(character)) return true
    const code = codeOf(character)
    return ranges.some(([first, last]) => first <= code && code <= last)
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0
}
