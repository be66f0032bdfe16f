import { readSecretFile, shortestSecret } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { markOf } from '../../watched-file.ts'
import { sha256 } from './digest.ts'

/** A file is looked at no more often than this. */
const lookMs = 1_000

/** A caller's secret of `bridge.yaml`, as it is now. */
export interface LiveSecret {
  digest(): Buffer
}

export interface SecretFiles {
  readonly clock: Clock
  readonly log: Log
  /** Place in the configuration → the file that the secret came from. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * A secret that came from a file is read again when the file changes, so that it can be replaced while the bridge runs.
 * What cannot be read, or is too short (an editor has just emptied it), changes nothing.
 */
export function liveSecret(text: string, place: string, { clock, log, files }: SecretFiles): LiveSecret {
  let digest = sha256(text)
  const file = files.get(place)
  if (file === undefined) return { digest: () => digest }
  let seen = markOf(file)
  // Since the configuration was read the store was opened, which can take as long as another bridge holds it.
  const present = readOrNothing(file)
  if (present.length >= shortestSecret) digest = sha256(present)
  let lookedAt = clock.now()
  return {
    digest() {
      const now = clock.now()
      if (Math.abs(now - lookedAt) < lookMs) return digest
      lookedAt = now
      const mark = markOf(file)
      if (mark === seen) return digest
      seen = mark
      const written = readOrNothing(file)
      if (written.length < shortestSecret) {
        log.warn({ place, file, alarm: true }, 'a secret was not read anew: its file cannot be read, or is too short')
        return digest
      }
      digest = sha256(written)
      log.info({ place }, 'a secret was read anew')
      return digest
    },
  }
}

function readOrNothing(file: string): string {
  try {
    return readSecretFile(file)
  } catch {
    return ''
  }
}
