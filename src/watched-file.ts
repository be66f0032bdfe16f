import { readFileSync, statSync } from 'node:fs'

/** Secrets and chains of certificates are far smaller. */
const mostBytes = 262_144

/** A file whose content may be replaced while the process runs: a secret, a certificate. */
export interface WatchedFile {
  readonly path: string
  /**
   * The content as it is now, without its last line break. While a new one is being put in place (missing, empty, unreadable,
   * too large) it stays the last good one.
   */
  text(): string
}

/** Reads it once; throws when that fails. Asked again, it looks whether the file is another one: no timer, no delay. */
export function watchFile(path: string): WatchedFile {
  let mark = markOf(path)
  let content = contentOf(path)
  return {
    path,
    text() {
      const present = markOf(path)
      if (present === undefined || present === mark) return content
      try {
        content = contentOf(path)
        mark = present
      } catch {
        // Half of a replacement: looked at again the next time.
      }
      return content
    },
  }
}

/** Changes with every write, and when a link leads elsewhere. Undefined: there is no such file, or no right to see it. */
export function markOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch {
    return undefined
  }
}

function contentOf(path: string): string {
  const bytes = readFileSync(path)
  if (bytes.length > mostBytes) throw new Error(`${path} is larger than ${mostBytes} bytes`)
  const text = bytes.toString('utf8').replace(/\r?\n$/, '')
  if (text === '') throw new Error(`${path} is empty`)
  return text
}
