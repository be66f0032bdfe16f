/** A process of its own whose CPU, memory and handles can be asked for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodeEnvironment, nodeFlags } from '../src/cli/bridge-process.ts'
import type { Question, Reading } from './probe.ts'

const probe = new URL('./probe.ts', import.meta.url).href

export interface Measured {
  readonly child: ChildProcess
  /** What it printed first. */
  firstLine(): Promise<string>
  ask(question: Question): Promise<Reading>
  /** CPU milliseconds, user and system, so far. */
  cpuMs(): Promise<number>
  end(): Promise<void>
}

const running = new Set<ChildProcess>()

/** `args`: a file of this folder or of the product, and what it is called with. `flags`: of Node. */
export function startMeasured(args: readonly string[], flags: readonly string[] = []): Measured {
  const child = spawn(process.execPath, [...nodeFlags, '--expose-gc', ...flags, '--import', probe, ...args], {
    // The log goes where an operator's would go when nobody reads it; writing it is measured all the same.
    env: { ...nodeEnvironment, ...process.env },
    stdio: ['ignore', 'pipe', process.env.BENCH_STDERR === undefined ? 'ignore' : 'inherit', 'ipc'],
  })
  running.add(child)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void exited.then(() => running.delete(child))
  const ask = (question: Question) =>
    new Promise<Reading>((resolve, reject) => {
      const ended = () => reject(new Error(`${args[0]} ended while it was measured`))
      child.once('exit', ended)
      child.once('message', (reading) => {
        child.off('exit', ended)
        resolve(reading as Reading)
      })
      child.send(question)
    })
  return {
    child,
    firstLine: () =>
      new Promise((resolve, reject) => {
        if (child.stdout === null) return reject(new Error('no output'))
        createInterface(child.stdout).once('line', resolve)
        void exited.then(() => reject(new Error(`${args[0]} ended before it was ready`)))
      }),
    ask,
    cpuMs: async () => (await ask({ ask: 'reading' })).cpuMs,
    async end() {
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(force)
    },
  }
}

/** Nothing that was started outlives the bench. */
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export function fileOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
