/** Commands as people start them: real processes, of which none outlives the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const main = join(root, 'src', 'main.ts')

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
}

const longestRunMs = 60_000

export interface Place {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

export function start(
  command: string,
  words: readonly string[],
  { cwd = root, environment = {} }: Place = {},
): Running {
  const child = spawn(command, words, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestRunMs,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece
  })
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Runs a command to its end. */
export function run(command: string, words: readonly string[], place?: Place): Promise<Ended> {
  return start(command, words, place).ended
}

/** `scim-bridge …`, without npm. */
export function scimBridge(words: readonly string[], place?: Place): Promise<Ended> {
  return run(process.execPath, [main, ...words], place)
}

/**
 * Nobody listens there, and nobody will by chance: systems take the ports that nobody named, of servers and of clients,
 * from 32768 on.
 */
export async function freePort(): Promise<number> {
  for (let round = 0; round < 50; round += 1) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (await isFree(port)) return port
  }
  throw new Error('no free port')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Asks until the answer is true. For other processes, whose time is the real one. */
export async function within(ms: number, what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + ms
  while (!(await ask())) {
    if (Date.now() > endsAt) throw new Error(`not within ${ms} ms: ${what}`)
    await pause(25)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The processes that this one started and their children, by what Linux tells. */
export function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid)
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // proc(5): the parent is the second field after the name in brackets.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** Whether anybody listens at this address. */
export async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}
