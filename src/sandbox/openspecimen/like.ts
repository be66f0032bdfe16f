/** SQL LIKE as OpenSpecimen uses it: the caller's text goes in unescaped, so `%`, `_` and `\` in it are live. */

/** Whether `text` contains what matches `part`, ignoring case. */
export function contains(text: string, part: string): boolean {
  return isLike(text.toLowerCase(), `%${part.toLowerCase()}%`)
}

interface Step {
  readonly kind: 'any' | 'one' | 'character'
  readonly character: string
}

/** Two pointers and one point of return: no pattern of a caller takes more than text × pattern steps. */
function isLike(text: string, pattern: string): boolean {
  const letters = [...text]
  const steps = stepsOf(pattern)
  let at = 0
  let step = 0
  let lastAny = -1
  let resumeAt = 0
  while (at < letters.length) {
    const current = steps[step]
    if (current?.kind === 'any') {
      lastAny = step
      resumeAt = at
      step += 1
      continue
    }
    if (current !== undefined && (current.kind === 'one' || current.character === letters[at])) {
      at += 1
      step += 1
      continue
    }
    if (lastAny < 0) return false
    resumeAt += 1
    at = resumeAt
    step = lastAny + 1
  }
  return steps.slice(step).every((rest) => rest.kind === 'any')
}

function stepsOf(pattern: string): Step[] {
  const steps: Step[] = []
  let isEscaped = false
  for (const character of pattern) {
    if (!isEscaped && character === '\\') {
      isEscaped = true
      continue
    }
    const kind = isEscaped ? 'character' : character === '%' ? 'any' : character === '_' ? 'one' : 'character'
    steps.push({ kind, character })
    isEscaped = false
  }
  return steps
}
