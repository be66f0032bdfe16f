/**
 * Test files that share one process. To load the bridge costs more than most files do with it: a folder's files load it
 * once. Each is a suite of its own, with its own hooks, and runs when the one before it has ended.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** So many files a process at most: the processors have to be busy to the end. */
const longestGroup = 12

/** They measure what their process takes, or run long enough by themselves. */
const isAlone = (file: string) => /[\\/]full[\\/]|store[\\/]postgres\.|docs[\\/]readme|telemetry[\\/]/.test(file)
// They begin first, so that nobody waits for them alone at the end.
const isLong = (file: string) => isAlone(file) || /bridge[\\/]|cli[\\/]/.test(file)

export type Group = readonly string[]

export function groupsOf(files: readonly string[]): readonly Group[] {
  const alone = files.filter(isAlone).map((file) => [file])
  const folders = Map.groupBy(
    files.filter((file) => !isAlone(file)),
    (file) => dirname(file),
  )
  const groups = [...folders.values()].flatMap((folder) => {
    const count = Math.ceil(folder.length / longestGroup)
    return Array.from({ length: count }, (_, index) => folder.filter((_, at) => at % count === index))
  })
  return [...alone, ...groups].sort(
    ([left = ''], [right = '']) => Number(isLong(right)) - Number(isLong(left)) || left.localeCompare(right),
  )
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
