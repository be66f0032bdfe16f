/**
 * Test files that share one process. To load the bridge costs more than most files do with it: a dozen files load it once.
 * Each is a suite of its own, with its own hooks, and runs when the one before it has ended.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** So many files a process at most: the processors have to be busy to the end. */
const longestGroup = 12

/** They measure what their process takes, or run long enough by themselves. */
const isAlone = (file: string) => /[\\/]full[\\/]|store[\\/]postgres\.|docs[\\/]readme|telemetry[\\/]/.test(file)
// They begin first, so that nobody waits for them alone at the end.
const isLongest = (file: string) => /[\\/]full[\\/](memory|random)/.test(file)
const isLong = (file: string) => /test[\\/](bridge|cli|console)[\\/]/.test(file)

export type Group = readonly string[]

export function groupsOf(files: readonly string[]): readonly Group[] {
  const sorted = files.toSorted((left, right) => left.localeCompare(right))
  const alone = sorted
    .filter(isAlone)
    .toSorted((left, right) => Number(isLongest(right)) - Number(isLongest(left)))
    .map((file) => [file])
  const others = sorted.filter((file) => !isAlone(file))
  return [...alone, ...divided(others.filter(isLong)), ...divided(others.filter((file) => !isLong(file)))]
}

/** Neighbours stay together, and no group is much smaller than the others. */
function divided(files: readonly string[]): readonly Group[] {
  const size = Math.ceil(files.length / Math.ceil(files.length / longestGroup))
  const count = files.length === 0 ? 0 : Math.ceil(files.length / size)
  return Array.from({ length: count }, (_, index) => files.slice(index * size, (index + 1) * size))
}

/** One entry for each group, in a folder of its own. */
export function writeGroups(root: string, groups: readonly Group[]): { files: readonly string[]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'test-groups-'))
  const files = groups.map((group, index) => {
    const file = join(folder, `${index}.test.mjs`)
    const suites = group.map((name) => {
      const url = pathToFileURL(join(root, name))
      return `suite(${JSON.stringify(name)}, async () => { await import(${JSON.stringify(url)}) })\n`
    })
    writeFileSync(file, `import { suite } from 'node:test'\n${suites.join('')}`)
    return file
  })
  return { files, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
