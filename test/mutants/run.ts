/**
 * Plants one bug after the other into copies of `src` and shows which test turns red. Ends with `N killed, N survived` and
 * a status other than 0 when one survives, or when one no longer fits the source. `run.ts 7 16` plants only these numbers.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mutant, mutants } from './mutants.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const longestRunMs = 240_000

type Verdict = { readonly kind: 'killed'; readonly by: string } | { readonly kind: 'survived' | 'unfit' }

function stale({ file, edits }: Mutant): string | undefined {
  const source = readFileSync(join(root, file), 'utf8')
  const edit = edits.find(([from]) => source.split(from).length !== 2)
  return edit === undefined ? undefined : edit[0].trim().split('\n', 1)[0]
}

/** A copy that a bug can be planted in. `node_modules` is shared, everything else is its own. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'))
  for (const part of ['src', 'test', 'mappings', 'docs', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** The names of the tests that failed, innermost first. */
function runTests(copy: string, tests: readonly string[]): Promise<{ failed: string[]; hasPassed: boolean }> {
  const files = tests.map((name) => join(copy, 'test', `${name}.test.ts`))
  const child = spawn(process.execPath, ['--disable-proto=delete', '--test', '--test-reporter=tap', ...files], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: longestRunMs,
  })
  let output = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      const failed = [...output.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map((match) => match[1] ?? '')
      if (status !== 0 && failed.length === 0) failed.push('the run did not end')
      resolve({ failed, hasPassed: /^\s*ok \d+ - /m.test(output) })
    })
  })
}

async function plant(copy: string, mutant: Mutant): Promise<Verdict> {
  const file = join(copy, mutant.file)
  const source = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    // By function: a dollar sign in the replacement means nothing.
    mutant.edits.reduce((text, [from, to]) => text.replace(from, () => to), source),
  )
  try {
    const { failed, hasPassed } = await runTests(copy, mutant.tests)
    const [by] = failed
    if (by === undefined) return { kind: 'survived' }
    // Every test of the file fails when the source does not even load: that says nothing of the test.
    return failed.every((name) => name.endsWith('.test.ts')) && !hasPassed ? { kind: 'unfit' } : { kind: 'killed', by }
  } finally {
    writeFileSync(file, source)
  }
}

const wanted = process.argv.slice(2).map(Number)
const chosen = mutants.filter(({ number }) => wanted.length === 0 || wanted.includes(number))
const unfit = chosen.filter((mutant) => stale(mutant) !== undefined)
for (const mutant of unfit) {
  console.error(`mutant ${mutant.number} no longer fits ${mutant.file}: ${mutant.name} (${stale(mutant)})`)
}
if (unfit.length > 0) process.exit(2)

const copies = Array.from({ length: Math.min(2, availableParallelism()) }, copyTree)
try {
  const [first] = copies
  if (first === undefined) throw new Error('no copy')
  const untouched = await runTests(first, [...new Set(chosen.flatMap(({ tests }) => tests))])
  if (untouched.failed.length > 0) {
    console.error(`without any bug these fail: ${untouched.failed.join('; ')}`)
    process.exit(2)
  }
  const waiting = [...chosen]
  let killed = 0
  const work = async (copy: string) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await plant(copy, mutant)
      if (verdict.kind === 'killed') killed += 1
      const by = verdict.kind === 'killed' ? `by: ${verdict.by}` : mutant.tests.join(', ')
      const shown = { killed: 'killed', survived: 'SURVIVED', unfit: 'DOES NOT LOAD' }[verdict.kind]
      console.log(`${shown.padEnd(14)}${String(mutant.number).padStart(3)} ${mutant.name} — ${by}`)
    }
  }
  await Promise.all(copies.map(work))
  console.log(`\n${killed} killed, ${chosen.length - killed} survived`)
  process.exitCode = killed === chosen.length ? 0 : 1
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
}
