/** The bridge as a process of its own: it can be killed and started again while the demo's platforms stay. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../clock.ts'

const readyWithinMs = 30_000
const pollMs = 50
/** Longer than the bridge gives its own work at the end, and short enough for the demo to end within 8 s. */
const killAfterMs = 6_500

/**
 * Keeps the port until it is released. Rejects when somebody listens there already: their answer to `/readyz` would pass
 * for the bridge's.
 */
export function reservePort(port: number): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    // Nothing waits for it: whoever fails before the release may end.
    const holder = createServer().unref()
    holder.once('error', (cause) => {
      const code = 'code' in cause ? String(cause.code) : ''
      const reason = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on (${code})`
      reject(new Error(`port ${port} ${reason}: name another one with --port`, { cause }))
    })
    const release = () => new Promise<void>((released) => holder.close(() => released()))
    holder.listen(port, '127.0.0.1', () => resolve(release))
  })
}

const require = createRequire(import.meta.url)

/** Of Node, for the bridge. */
export const nodeFlags: readonly string[] = require('./node-flags.cjs')

/** Beside what is in the environment, which goes before. */
export const nodeEnvironment: Readonly<Record<string, string>> = require('./node-environment.cjs')

export function startBridge(file: string): ChildProcess {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  // Its log goes to our stderr: stdout has the ready line and nothing else.
  return spawn(process.execPath, [...nodeFlags, main, 'serve', '--config', file], {
    stdio: ['ignore', 2, 2],
    env: { ...nodeEnvironment, ...process.env },
  })
}

/** Rejects when the bridge ends first, or takes too long. */
export async function untilReady(bridge: ChildProcess, port: number): Promise<void> {
  const endsAt = systemClock.now() + readyWithinMs
  while (systemClock.now() < endsAt) {
    if (hasEnded(bridge)) throw new Error('the bridge did not start; its reason is above')
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await systemClock.sleep(pollMs)
  }
  throw new Error('the bridge did not become ready')
}

/** Ends it as an operator would, and by force when it does not listen: what it has accepted is durable. */
export async function endBridge(bridge: ChildProcess): Promise<void> {
  if (hasEnded(bridge)) return
  const exited = new Promise((resolve) => bridge.once('exit', resolve))
  const force = setTimeout(() => bridge.kill('SIGKILL'), killAfterMs)
  bridge.kill('SIGTERM')
  await exited
  clearTimeout(force)
}

function hasEnded(bridge: ChildProcess): boolean {
  return bridge.exitCode !== null || bridge.signalCode !== null
}
