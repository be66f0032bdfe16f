import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../log.ts'
import { StoreRefused } from './failures.ts'

/** statfs(2) types of file systems that end with the container or the machine. */
const passing = new Map([
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
])

const remedies: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'make room on the disk'],
  ['EROFS', 'mount its file system for writing, or name another file'],
])

/** The kind of file system, where it does not outlive the container or the machine. */
export function passingFileSystem(file: string): string | undefined {
  return passing.get(statfsSync(file).type)
}

/** Makes the file, for its owner only, when it is missing. Throws `StoreRefused` when it cannot be a store. */
export function prepareFile(file: string, log: Log): Stats {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const before = statSync(file, { throwIfNoEntry: false })
    if (before === undefined) {
      closeSync(openSync(file, 'a', 0o600))
      chmodSync(file, 0o600)
    } else if (!before.isFile()) {
      throw new StoreRefused(`${file} is not a file: name a file for the store`)
    } else if ((before.mode & 0o222) === 0) {
      // Root may write it all the same; whoever marked it read-only did not want that.
      throw new StoreRefused(`${file} is read-only: give the bridge's user the right to write it, or name another file`)
    } else if ((before.mode & 0o077) !== 0) {
      log.warn({ file }, 'other users of this machine may read the store: chmod 600')
    }
    closeSync(openSync(file, 'r+'))
  } catch (error) {
    if (error instanceof StoreRefused) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    const remedy = remedies.get(code) ?? "give the bridge's user the right to write it and its folder"
    throw new StoreRefused(`${file} cannot be written (${code}): ${remedy}`, { cause: error })
  }
  const kind = passingFileSystem(file)
  if (kind !== undefined) {
    log.warn(
      { file, kind },
      'the store is on a file system that does not outlive the container or machine: mount a volume',
    )
  }
  return statSync(file)
}
