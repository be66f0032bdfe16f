import { type Clock, systemClock } from '../clock.ts'

/** What the commands of the store need of their surroundings. */
export interface StoreDependencies {
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  /** For people, where standard output is for results. */
  readonly tell: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

export const installed: StoreDependencies = {
  write: (text) => process.stdout.write(text),
  tell: (text) => process.stderr.write(text),
  environment: process.env,
  clock: systemClock,
}
