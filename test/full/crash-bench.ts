/** The real `serve` in a process of its own, stopped at one commit or one call and killed there, in front of simulators that live on. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { builtInMappings } from '../../src/bridge.ts'
import { demoConfig, newDemoToken } from '../../src/cli/demo-config.ts'
import { systemClock } from '../../src/clock.ts'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import type { FaultRequest } from '../../src/sandbox/simulator.ts'
import { openStore } from '../../src/store/open.ts'
import { aUser, scimType } from '../bridge-world.ts'
import { within } from '../cli/processes.ts'
import { innerAccounts, isSamePerson } from './accounts.ts'
import { assertInvariants } from './invariants.ts'
import type { Pause } from './pause-at-commit.ts'
import { viewStore } from './store-view.ts'
import { startWatch } from './watch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const preload = fileURLToPath(new URL('./pause-at-commit.ts', import.meta.url))
/** Real time: a machine that has other work to do may take a while, and nothing is won by giving up early. */
const patienceMs = 60_000

export interface CrashOperation {
  readonly name: string
  readonly isNew: boolean
  ask(scim: CrashScim, user: JsonObject, id: string): Promise<unknown>
  readonly isOn: boolean
  readonly isShown: boolean
}
export type CrashScim = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: JsonObject }>
export interface KillPoint {
  readonly name: string
  readonly at: { readonly commit: Pause } | { readonly call: FaultRequest }
}
/** At the next start; undefined: all is well. `refused`: nobody listens. */
export type StartFault = FaultRequest | 'refused' | undefined

export interface CrashBench {
  run(operation: CrashOperation, point: KillPoint, fault: StartFault): Promise<void>
  /** Ends the bridge as an operator does, and looks at the audit as a whole. */
  end(): Promise<void>
}

export async function startCrashBench(): Promise<CrashBench> {
  const directory = mkdtempSync(join(tmpdir(), 'crash-matrix-'))
  const sandbox = await startSandbox()
  const { figshare } = sandbox
  const token = newDemoToken()
  const connection = {
    platform: 'figshare',
    token,
    baseUrl: figshare.baseUrl,
    credentials: figshare.credentials,
  } as const
  const config = demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections: [connection] })
  const file = join(directory, 'bridge.yaml')
  writeFileSync(
    file,
    config
      .replace('maximumSeconds: 5', 'maximumSeconds: 1')
      .replace('retryAfterDeniedSeconds: 5', 'retryAfterDeniedSeconds: 1')
      // Its lists do not lag here.
      .replace('settings:', 'settings:\n      findDelayMs: 0'),
  )
  const logLines: string[] = []
  const watch = startWatch({ sandbox, directory, logLines, tokens: new Map([['figshare', token]]) }, ['figshare'])
  const view = () => viewStore(directory, 'figshare', Number.MAX_SAFE_INTEGER)
  let bridge: ChildProcess | undefined
  let url = ''

  const start = async () => {
    const words = ['--disable-proto=delete', '--import', preload, main, 'serve', '--config', file]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    bridge = child
    const lines = createInterface(child.stderr)
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (text) => {
        logLines.push(text)
        const line: JsonObject = text.startsWith('{') ? JSON.parse(text) : {}
        if (line.msg !== 'serving') return
        url = `http://${line.host}:${line.port}/figshare/scim/v2`
        resolve()
      })
      child.once('exit', () => reject(new Error(`the bridge ended: ${logLines.at(-1)}`)))
    })
  }
  const kill = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (bridge === undefined) return
    const ended = once(bridge, 'exit')
    bridge.kill(signal)
    await ended
  }
  const scim: CrashScim = async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': scimType, connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
  }

  const killAt = async ({ at }: KillPoint, ask: () => Promise<unknown>) => {
    if ('commit' in at) writeFileSync(join(directory, 'pause'), at.commit)
    else figshare.fault(at.call)
    const asking = ask().catch(() => 'cut off')
    const isReached = () => ('commit' in at ? existsSync(join(directory, 'paused')) : figshare.faultCount > 0)
    await within(patienceMs, 'the bridge has come to where it is killed', isReached)
    assertInvariants(watch)
    await kill('SIGKILL')
    assert.equal(await asking, 'cut off')
    rmSync(join(directory, 'paused'), { force: true })
    figshare.fault({ mode: 'ok' })
    assertInvariants(watch)
  }

  await start()
  return {
    async run(operation, point, fault) {
      const user = aUser()
      const made = operation.isNew ? undefined : await scim('POST', '/Users', user)
      assert.ok(made === undefined || made.status === 201)
      await killAt(point, () => operation.ask(scim, user, String(made?.body.id)))
      const isUnfinished = view().operations.length > 0
      if (fault === 'refused') await figshare.refuseAfter(0)
      else if (fault !== undefined) figshare.fault(fault)
      await start()
      if (fault === 'refused') {
        const attempts = () => view().operations.some(({ errorMessage }) => errorMessage !== '')
        if (isUnfinished) await within(patienceMs, 'the platform was missed', attempts)
        await figshare.accept()
      } else if (fault !== undefined) {
        // After the second commit nothing is left to ask the platform for.
        if (isUnfinished) await within(patienceMs, 'the fault has fired', () => figshare.faultCount > 0)
        figshare.fault({ mode: 'ok' })
      }
      await within(patienceMs, 'nothing is unfinished', () => view().operations.length === 0)
      assertInvariants(watch)
      const accounts = innerAccounts(sandbox, 'figshare').filter((account) => isSamePerson(user, account))
      assert.equal(accounts.length, 1, 'accounts of the person')
      assert.equal(accounts[0]?.isOn, operation.isOn)
      if (operation.name === 'update') assert.equal(accounts[0]?.familyName, 'King')
      const shown = view().resources.filter(({ document }) => document.userName === user.userName)
      assert.deepEqual(
        shown.map(({ isVisible }) => isVisible),
        operation.isShown ? [true] : [],
      )
    },
    async end() {
      try {
        await kill('SIGTERM')
        assert.equal(bridge?.exitCode, 0)
        const store = await openStore(
          { kind: 'sqlite', file: join(directory, 'bridge.sqlite') },
          { clock: systemClock, log: createLog('silent') },
        )
        const { brokenAt } = await store.verifyAudit('figshare')
        await store.close()
        assert.equal(brokenAt, undefined)
      } finally {
        bridge?.kill('SIGKILL')
        await sandbox.close()
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
}
