/**
 * `npm run demo`: five simulated platforms and the bridge, in the foreground. The simulators live in this process, the
 * bridge in one of its own, so that it can be killed and started again while the platforms stay.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { builtInMappings } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { bulkLoad } from '../store/bulk.ts'
import { openStore } from '../store/open.ts'
import { type DemoConnection, demoConfig, demoPlatforms, newDemoToken } from './demo-config.ts'
import { seedPeople, seedUsers } from './seed.ts'
import { stopSignal } from './serve.ts'

const readyWithinMs = 30_000
const pollMs = 50

interface DemoOptions {
  readonly port: number
  readonly token?: string
  readonly state?: string
  readonly simulatorsOnly?: boolean
  readonly seedUsers: number
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('start five simulated platforms and a bridge in front of them')
    .option('--port <port>', 'port of the bridge', wholeNumber, 8080)
    .option('--token <token>', 'a bearer token that all five connections accept (at least 16 characters)')
    .option('--state <dir>', 'folder for everything that is kept (default: a temporary one)')
    .option('--simulators-only', 'start the platforms and write bridge.yaml, but start no bridge')
    .option('--seed-users <count>', 'users that the figshare connection has from the start', wholeNumber, 0)
    .action(runDemo)
}

async function runDemo(options: DemoOptions): Promise<void> {
  const stopped = stopSignal()
  const isTemporary = options.state === undefined
  const directory = isTemporary ? mkdtempSync(join(tmpdir(), 'scim-bridge-demo-')) : resolve(options.state ?? '')
  mkdirSync(directory, { recursive: true })
  const sandbox = await startSandbox({ seedUsers: seedPeople(options.seedUsers) })
  const connections = demoPlatforms.map(
    (platform): DemoConnection => ({
      platform,
      token: newDemoToken(),
      baseUrl: sandbox[platform].baseUrl,
      credentials: sandbox[platform].credentials,
    }),
  )
  const file = join(directory, 'bridge.yaml')
  const config = demoConfig({ port: options.port, sharedToken: options.token, mappings: builtInMappings, connections })
  writeFileSync(file, config, { mode: 0o600 })
  if (options.seedUsers > 0) await seedStore(join(directory, 'bridge.sqlite'), sandbox)

  const bridge = options.simulatorsOnly ? undefined : startBridge(file)
  try {
    if (bridge !== undefined) await untilReady(bridge, options.port)
    console.log(readyLine(options.port, connections, sandbox))
    console.error(
      `scim-bridge demo: ready on http://127.0.0.1:${options.port}, configuration in ${file}; Ctrl-C ends it`,
    )
    await stopped
  } finally {
    if (bridge !== undefined) await end(bridge)
    await sandbox.close()
    if (isTemporary) rmSync(directory, { recursive: true, force: true })
  }
}

/** A folder that has been seeded before keeps its users: their accounts are gone with the old simulators. */
async function seedStore(file: string, sandbox: Sandbox): Promise<void> {
  const store = await openStore({ kind: 'sqlite', file }, { clock: systemClock, log: createLog('silent') })
  try {
    if ((await store.count('figshare', 'User')) > 0) {
      throw new Error('--seed-users needs an empty --state folder: this one has users already')
    }
    const now = new Date(systemClock.now()).toISOString()
    await bulkLoad(store, 'figshare', seedUsers('figshare', sandbox.figshareAccountIds, now))
  } finally {
    await store.close()
  }
}

function startBridge(file: string): ChildProcess {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  // Its log goes to our stderr: stdout has the ready line and nothing else.
  const bridge = spawn(process.execPath, ['--disable-proto=delete', main, 'serve', '--config', file], {
    stdio: ['ignore', 2, 2],
  })
  bridge.on('exit', (code, signal) => {
    console.error(`scim-bridge demo: the bridge ended (${signal ?? `status ${code}`}); the simulated platforms stay`)
  })
  return bridge
}

async function untilReady(bridge: ChildProcess, port: number): Promise<void> {
  const endsAt = systemClock.now() + readyWithinMs
  while (systemClock.now() < endsAt) {
    if (bridge.exitCode !== null || bridge.signalCode !== null)
      throw new Error('the bridge did not start; its reason is above')
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await systemClock.sleep(pollMs)
  }
  throw new Error('the bridge did not become ready')
}

async function end(bridge: ChildProcess): Promise<void> {
  if (bridge.exitCode !== null || bridge.signalCode !== null) return
  const exited = new Promise((resolveExit) => bridge.once('exit', resolveExit))
  bridge.kill('SIGTERM')
  await exited
}

function readyLine(port: number, connections: readonly DemoConnection[], sandbox: Sandbox): string {
  const bridge = `http://127.0.0.1:${port}`
  return JSON.stringify({
    ready: true,
    pid: process.pid,
    bridge,
    console: `${bridge}/console`,
    connections: Object.fromEntries(
      connections.map(({ platform, token, baseUrl, credentials }) => [
        platform,
        {
          scim: `${bridge}/${platform}/scim/v2`,
          token,
          platform: baseUrl,
          control: sandbox[platform].controlUrl,
          credentials,
        },
      ]),
    ),
  })
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is wanted')
  return value
}
