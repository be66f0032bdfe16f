/**
 * `npm run demo`: five simulated platforms and the bridge, in the foreground. The simulators live in this process, the
 * bridge in one of its own, so that it can be killed and started again while the platforms stay.
 */
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { builtInMappings } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { bulkLoad } from '../store/bulk.ts'
import { openStore } from '../store/open.ts'
import { endBridge, reservePort, startBridge, untilReady } from './bridge-process.ts'
import { type DemoConnection, demoClientId, demoConfig, demoPlatforms, newDemoToken } from './demo-config.ts'
import { seedPeople, seedUsers } from './seed.ts'
import { stopSignal } from './stop-signal.ts'

/** Ids stay below 2³¹, and two demonstrations hardly ever meet. */
const mostSkippedIds = 1_000_000_000

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
    .option('--port <port>', 'port of the bridge', portNumber, 8080)
    .option('--token <token>', 'a bearer token that all five connections accept', bearerToken)
    .option('--state <dir>', 'folder for everything that is kept (default: a temporary one)')
    .option('--simulators-only', 'start the platforms and write bridge.yaml, but start no bridge')
    .option('--seed-users <count>', 'users that the figshare connection has from the start', wholeNumber, 0)
    .action(runDemo)
}

async function runDemo(options: DemoOptions): Promise<void> {
  const releasePort = await reservedPort(options)
  const stopped = stopSignal()
  const isTemporary = options.state === undefined
  const directory = isTemporary ? mkdtempSync(join(tmpdir(), 'scim-bridge-demo-')) : resolve(options.state ?? '')
  let sandbox: Sandbox | undefined
  let bridge: ChildProcess | undefined
  try {
    mkdirSync(directory, { recursive: true })
    // A folder may have users of an earlier demonstration, whose accounts ended with it: no new account may have their ids.
    const skippedIds = randomInt(mostSkippedIds)
    // Only here: no other command has to load the platforms.
    const { startSandbox } = await import('../sandbox/sandbox.ts')
    sandbox = await startSandbox({ seedUsers: seedPeople(options.seedUsers), skippedIds })
    await releasePort()
    const connections = demoConnections(sandbox)
    const file = join(directory, 'bridge.yaml')
    const { port, token: sharedToken } = options
    const consoleToken = newDemoToken()
    // A demonstration needs one token only; a real identity provider's opens no page.
    const consoleTokens = sharedToken === undefined ? [consoleToken] : [consoleToken, sharedToken]
    const config = demoConfig({ port, sharedToken, consoleTokens, mappings: builtInMappings, connections })
    writeFileSync(file, config, { mode: 0o600 })
    if (options.seedUsers > 0) await seedStore(join(directory, 'bridge.sqlite'), sandbox)
    if (options.simulatorsOnly !== true) {
      bridge = startBridge(file)
      await untilReady(bridge, port)
      bridge.on('exit', (code, signal) => {
        console.error(
          `scim-bridge demo: the bridge ended (${signal ?? `status ${code}`}); the simulated platforms stay`,
        )
      })
    }
    console.log(readyLine({ port, consoleToken }, connections, sandbox))
    const what = bridge === undefined ? 'the platforms are ready' : `ready on http://127.0.0.1:${port}`
    console.error(`scim-bridge demo: ${what}, configuration in ${file}; Ctrl-C ends it`)
    await stopped
  } finally {
    bridge?.removeAllListeners('exit')
    if (bridge !== undefined) await endBridge(bridge)
    await sandbox?.close()
    if (isTemporary) rmSync(directory, { recursive: true, force: true })
  }
}

/** The simulators choose free ports, and the bridge's is free until the bridge listens: nobody else may get it meanwhile. */
async function reservedPort({ port, simulatorsOnly }: DemoOptions): Promise<() => Promise<void>> {
  const reserved = reservePort(port)
  // Somebody may have it still: the bridge comes later.
  return simulatorsOnly === true ? reserved.catch(() => async () => {}) : reserved
}

function demoConnections(sandbox: Sandbox): DemoConnection[] {
  return demoPlatforms.map((platform) => ({
    platform,
    token: newDemoToken(),
    clientSecret: newDemoToken(),
    baseUrl: sandbox[platform].baseUrl,
    credentials: sandbox[platform].credentials,
  }))
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

function readyLine(
  { port, consoleToken }: { readonly port: number; readonly consoleToken: string },
  connections: readonly DemoConnection[],
  sandbox: Sandbox,
): string {
  const bridge = `http://127.0.0.1:${port}`
  return JSON.stringify({
    ready: true,
    pid: process.pid,
    bridge,
    console: `${bridge}/console`,
    consoleToken,
    connections: Object.fromEntries(
      connections.map(({ platform, token, clientSecret, baseUrl, credentials }) => [
        platform,
        {
          scim: `${bridge}/${platform}/scim/v2`,
          token,
          platform: baseUrl,
          control: sandbox[platform].controlUrl,
          credentials,
          oauth: { tokenPath: `/${platform}/oauth2/token`, clientId: demoClientId(platform), clientSecret },
        },
      ]),
    ),
  })
}

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port < 1 || port > 65_535) throw new InvalidArgumentError('A port is 1 to 65535.')
  return port
}

/** RFC 6750, section 2.1: anything else cannot be sent. */
function bearerToken(text: string): string {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
    throw new InvalidArgumentError('A bearer token has letters, digits and - . _ ~ + /, with = at its end only.')
  }
  return text
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is wanted.')
  return Number(text)
}
