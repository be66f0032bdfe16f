import type { Grant } from '../facts.ts'

/** Equal for grants with the same keys and values, in whatever order they were written. */
export function grantKey(grant: Grant): string {
  return JSON.stringify(Object.fromEntries(Object.entries(grant).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** A letter with its mark is one character or two (Unicode NFC, NFD), by who typed it: people see one name. */
export function groupNameKey(name: string): string {
  return name.normalize('NFC')
}
