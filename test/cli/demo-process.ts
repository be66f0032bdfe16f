/** `npm run demo`, started as the README says, and what its ready line promises. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoPlatform, demoPlatforms } from '../../src/cli/demo-config.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { type PlatformView, viewAt } from '../platform-view.ts'
import { descendantsOf, type Ended, freePort, isAlive, type Running, start, within } from './processes.ts'

export interface ReadyConnection {
  readonly scim: string
  readonly token: string
  readonly platform: string
  readonly control: string
  readonly credentials: Readonly<Record<string, string | number>>
  readonly oauth: { readonly tokenPath: string; readonly clientId: string; readonly clientSecret: string }
}

export interface ReadyLine {
  readonly ready: boolean
  readonly pid: number
  readonly bridge: string
  readonly console: string
  readonly consoleToken: string
  readonly connections: Readonly<Record<DemoPlatform, ReadyConnection>>
}

export interface Demo extends Running {
  readonly ready: ReadyLine
  readonly port: number
  /** Every process of it, npm's included. */
  readonly processes: readonly number[]
  /** SIGTERM to `pid`; resolves when `npm run demo` has ended. */
  stop(): Promise<Ended>
}

export async function startDemo(words: readonly string[], environment: Record<string, string> = {}): Promise<Demo> {
  const port = await freePort()
  const running = start('npm', ['run', '--silent', 'demo', '--', '--port', String(port), ...words], { environment })
  const npm = running.child
  await within(20_000, 'the ready line', () => {
    if (npm.exitCode !== null) throw new Error(`the demo ended: ${running.stderr()}`)
    return running.stdout().includes('\n')
  })
  const ready: ReadyLine = JSON.parse(running.stdout())
  const processes = [npm.pid ?? 0, ...descendantsOf(npm.pid ?? 0)]
  return {
    ...running,
    ready,
    port,
    processes,
    async stop() {
      if (isAlive(ready.pid)) process.kill(ready.pid, 'SIGTERM')
      return await running.ended
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: JsonObject
}

/** A SCIM request, with the connection's own token unless another one is named. */
export async function scim(
  connection: ReadyConnection,
  method: string,
  path: string,
  body?: JsonObject,
  token = connection.token,
): Promise<Answer> {
  const answer = await fetch(connection.scim + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) }
}

/** The resources of a list. */
export function listed({ body }: Answer): JsonObject[] {
  return Array.isArray(body.Resources) ? body.Resources.filter(isJsonObject) : []
}

export function patchOf(value: JsonObject): JsonObject {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'replace', value }] }
}

/** Changes the fault mode; answers how long that took and the status. */
export async function fault(connection: ReadyConnection, request: JsonObject): Promise<{ status: number; ms: number }> {
  const before = Date.now()
  const answer = await fetch(`${connection.control}/fault`, { method: 'POST', body: JSON.stringify(request) })
  await answer.text()
  return { status: answer.status, ms: Date.now() - before }
}

/** An administrator's look at the platform, with the ready line's credentials. */
export function viewOfDemo(ready: ReadyLine, platform: DemoPlatform): PlatformView {
  const { platform: baseUrl, credentials } = ready.connections[platform]
  return viewAt(platform, baseUrl, credentials)
}

/** The bridge and the five platforms. */
export function addressesOf({ bridge, connections }: ReadyLine): string[] {
  return [`${bridge}/livez`, ...demoPlatforms.map((platform) => `${connections[platform].control}/fault`)]
}

export function aFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'scim-bridge-cli-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
