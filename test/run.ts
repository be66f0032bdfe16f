/**
 * Runs the tests and ends with a plain line `N passed, N failed`. `node test/run.ts [name part …]` runs the files whose path
 * contains a part; without parts, `--full` adds the long matrices of `test/full`.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { groupsOf, writeGroups } from './groups.ts'
import { skipPostgres } from './postgres-server.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isFull = process.argv.includes('--full')
const parts = process.argv.slice(2).filter((word) => word !== '--full')
const files = globSync('test/**/*.test.ts', { cwd: root })
  // The long matrices are for `--full`, or for whoever names them.
  .filter((file) =>
    parts.length === 0 ? isFull || !/^test[\\/]full[\\/]/.test(file) : parts.some((part) => file.includes(part)),
  )
if (files.length === 0) {
  console.error('no test file fits')
  process.exit(2)
}
// Every group is a process of its own, and most of them load the whole bridge: it is compiled once for all.
process.env.NODE_COMPILE_CACHE ??= `${root}/node_modules/.cache/tests`
const entries = writeGroups(root, groupsOf(files))
const seconds: [number, string][] = []
let passed = 0
let failed = 0
const events = run({
  files: [...entries.files],
  cwd: root,
  // One more than there are processors: files wait for disks and clocks, too.
  concurrency: availableParallelism() + 1,
  timeout: isFull || parts.length > 0 ? 1_500_000 : 240_000,
  execArgv: ['--disable-proto=delete'],
})
const note = ({ name, nesting, details }: { name: string; nesting: number; details: { duration_ms: number } }) => {
  if (nesting === 0) seconds.push([details.duration_ms / 1_000, name])
}
events.on('test:pass', note)
events.on('test:fail', note)
events.on('test:summary', (summary) => {
  if (summary.file !== undefined) return
  passed = summary.counts.passed
  failed = summary.counts.tests - passed - summary.counts.skipped - summary.counts.todo
  if (!summary.success && failed === 0) failed = 1
})
events.compose(spec).pipe(process.stdout)
process.on('exit', () => {
  entries.remove()
  const slowest = seconds.sort(([left], [right]) => right - left).slice(0, 10)
  if (parts.length === 0) console.log('\nThe files that took longest, in seconds:')
  if (parts.length === 0) for (const [time, file] of slowest) console.log(`${time.toFixed(1).padStart(7)}  ${file}`)
  if (skipPostgres !== false) console.log(`\nThe tests on PostgreSQL were left out: ${skipPostgres}.`)
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
})
