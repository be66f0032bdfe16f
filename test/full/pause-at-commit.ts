/**
 * Loaded into a bridge of its own by `--import`, never by the product: stops the process for good at one commit, so that a
 * test can kill it there. The file `pause` beside the configuration names the commit; `paused` says that it was reached.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** T1 makes an operation durable, T2 its outcome; between them each call is announced. */
export type Pause = 'after T1' | 'before the call' | 'before T2' | 'after T2'

const directory = dirname(process.argv[process.argv.indexOf('--config') + 1] ?? '')
/** What the open transaction has done so far. */
let done = new Set<string>()

function wanted(): string {
  try {
    return readFileSync(join(directory, 'pause'), 'utf8')
  } catch {
    return ''
  }
}

function stopAt(moment: Pause): void {
  if (wanted() !== moment) return
  rmSync(join(directory, 'pause'))
  writeFileSync(join(directory, 'paused'), moment)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

function kindOf(text: string): string | undefined {
  const words = text.trim().toLowerCase()
  if (words === 'commit') return 'commit'
  if (words === 'rollback') return 'rollback'
  // With the line that announces a create: no outcome.
  if (words.startsWith('update operation set unknown_since')) return undefined
  return /^(insert into|delete from|update) (operation|audit)\b/.exec(words)?.[0]
}

function around<Result>(kind: string, work: () => Result): Result {
  if (kind !== 'commit') {
    if (kind === 'rollback') done = new Set()
    else done.add(kind)
    return work()
  }
  const has = (name: string) => done.has(name)
  const isFirst = has('insert into operation')
  const isSecond = has('delete from operation') && !isFirst
  const isCalling = has('insert into audit') && !isFirst && !isSecond && !has('update operation')
  done = new Set()
  if (isSecond) stopAt('before T2')
  const result = work()
  if (isFirst) stopAt('after T1')
  if (isCalling) stopAt('before the call')
  if (isSecond) stopAt('after T2')
  return result
}

const prepare = DatabaseSync.prototype.prepare
DatabaseSync.prototype.prepare = function (text, ...more) {
  const statement = prepare.call(this, text, ...more)
  const kind = kindOf(text)
  if (kind === undefined) return statement
  const { all, run } = statement
  return Object.assign(statement, {
    all: (...values: unknown[]) => around(kind, () => Reflect.apply(all, statement, values)),
    run: (...values: unknown[]) => around(kind, () => Reflect.apply(run, statement, values)),
  })
}
