/** SQL's LIKE as the searches use it: the query between two `%`, its own `%` and `_` live, case ignored. */
export function isLike(text: string, query: string): boolean {
  const row = text.toLowerCase()
  const pattern = `%${query.toLowerCase()}%`
  let at = 0
  let sign = 0
  let lastMark = -1
  let resume = 0
  while (at < row.length) {
    if (pattern[sign] === '%') {
      lastMark = sign
      resume = at
      sign += 1
    } else if (pattern[sign] === '_' || pattern[sign] === row[at]) {
      at += 1
      sign += 1
    } else {
      // The first sign is a %, so there always is one to go back to.
      sign = lastMark + 1
      resume += 1
      at = resume
    }
  }
  while (pattern[sign] === '%') sign += 1
  return sign === pattern.length
}
