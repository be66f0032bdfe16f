/** The known name that a mistyped one most likely means; undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const text = name.slice(0, 64).toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(text, candidate.toLowerCase())
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** ` (did you mean x?)`, or ` (have a, b)` when nothing is near. */
export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known]
  const near = nearest(name, names)
  return near === undefined ? ` (have ${listed(names)})` : ` (did you mean ${near}?)`
}

/** `a, b, c`, cut after `most` with an ellipsis; `none` when empty. */
export function listed(names: Iterable<string>, most = 12): string {
  const all = [...names]
  if (all.length === 0) return 'none'
  return all.length <= most ? all.join(', ') : `${all.slice(0, most).join(', ')}, …`
}

/** Levenshtein's distance, with the exchange of two neighbours as one step. */
function editDistance(a: string, b: string): number {
  let twoAbove: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1
      let steps = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + changed)
      const isExchange = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isExchange) steps = Math.min(steps, (twoAbove[column - 2] ?? 0) + 1)
      current.push(steps)
    }
    twoAbove = above
    above = current
  }
  return above[b.length] ?? 0
}
