import { mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
const roomBytes = 512 * 1_024 * 1_024

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= roomBytes
  } catch {
    return false
  }
}

const place = process.platform === 'linux' && hasRoom() ? memory : tmpdir()

/** For a store: in memory, where there is any to spare. On a disk every commit of every test would be waited for. */
export function newStoreFolder(): string {
  return mkdtempSync(join(place, 'scim-bridge-test-'))
}
