import type { Log } from '../log.ts'

/** A name beyond these is counted, and no longer shown. */
const namesRemembered = 200
/** What is written otherwise is no attribute name, and whatever it is, it stays out of the log. */
const nameForm = /^[A-Za-z$][A-Za-z0-9$_.:-]*$/

/** Attributes and extensions that a connection's client sends and no schema of the connection has. */
export interface IgnoredNames {
  note(names: readonly string[]): void
  /** How many were ignored since the start, repetitions included. */
  count(): number
}

/** Each name is shown once: the operator may want to declare it (`extensions` in bridge.yaml), and is not told so every time. */
export function createIgnoredNames(connection: string, log: Log): IgnoredNames {
  const shown = new Set<string>()
  let count = 0
  return {
    note(names) {
      count += names.length
      for (const name of names) {
        if (shown.has(name) || shown.size >= namesRemembered || !nameForm.test(name)) continue
        shown.add(name)
        log.warn({ connection, name }, 'an attribute that no schema of the connection has is ignored')
      }
    },
    count: () => count,
  }
}
