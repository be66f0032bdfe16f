/** Where a command's words go. */
export interface Output {
  /** Writes to standard output; the text ends with a newline, or belongs to a longer one. */
  readonly write: (text: string) => void
  /** For a person who waits. */
  readonly progress: (text: string) => void
  readonly setExitCode: (code: number) => void
}

export const terminal: Output = {
  write: (text) => process.stdout.write(text),
  // Overwrites itself; a file or another program gets nothing of it.
  progress: (text) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`),
  setExitCode: (code) => {
    process.exitCode = code
  },
}

const barLength = 30

/** `[#####-----] 500 of 1000` */
export function progressBar(done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * barLength)
  return `[${'#'.repeat(filled)}${'-'.repeat(barLength - filled)}] ${done} of ${Math.max(done, total)}`
}
