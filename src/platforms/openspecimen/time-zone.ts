/** Names of time zones that this process was asked about before: making a formatter for each costs too much. */
const known = new Map<string, boolean>()
/** The database has some 600 names; whoever asks for many others is not remembered. */
const mostKnown = 2_000

/** Whether the IANA database has this name, in its own letters, also as a former one (`US/Pacific`). Offsets are no names. */
export function isTimeZone(name: string): boolean {
  const before = known.get(name)
  if (before !== undefined) return before
  const isOne = /^[A-Z]/.test(name) && isKnownToIntl(name)
  if (known.size < mostKnown) known.set(name, isOne)
  return isOne
}

function isKnownToIntl(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    // Intl minds no letter case. A former name is answered with the present one, which differs in more.
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase()
  } catch {
    return false
  }
}
