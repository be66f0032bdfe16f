/** A whole bridge with tokens of every role for its admin API, kept as `scim-bridge token create` keeps them. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Role } from '../../src/access.ts'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

export const everyConnectionToken = 'operator-of-all-connections'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of an answer
  readonly body: any
}

export interface AdminWorld extends BridgeWorld {
  /** A token of figshare unless said otherwise, by its role. */
  token(role: Role, connection?: DemoPlatform): string
  get(path: string, token?: string): Promise<Answered>
  post(path: string, body: unknown, token?: string): Promise<Answered>
}

export async function startAdminWorld(change: (config: JsonObject) => void = () => {}): Promise<AdminWorld> {
  const world = await startBridgeWorld((config) => {
    config.console = { tokens: [everyConnectionToken] }
    change(config)
  })
  const nameOf = (role: Role, connection: DemoPlatform) => `scimb_${role}-of-${connection}`
  const file = join(world.directory, 'bridge-credentials.sqlite')
  const credentials = openCredentials(file, { log: createLog('silent'), now: world.clock.now() })
  for (const connection of ['figshare', 'dspace'] as const) {
    for (const role of ['provision', 'read', 'monitor', 'operate'] as const) {
      const sha256 = hash('sha256', nameOf(role, connection))
      const createdAt = world.clock.now()
      const name = `${role}-${connection}`
      await credentials.addToken({ connection, name, role, sha256, createdAt, expiresAt: createdAt + 86_400_000 })
    }
  }
  credentials.close()

  async function send(method: string, path: string, token: string, body?: unknown): Promise<Answered> {
    const isText = typeof body === 'string'
    const answer = await fetch(`${world.url}/admin/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const token: AdminWorld['token'] = (role, connection = 'figshare') => nameOf(role, connection)
  return Object.assign(Object.create(world, {}), {
    token,
    get: (path: string, as = token('operate')) => send('GET', path, as),
    post: (path: string, body: unknown, as = token('operate')) => send('POST', path, as, body),
  })
}

/** Somebody whose change has failed to reach the platform, which answers 500 from then on. */
export async function waitingPerson(world: AdminWorld): Promise<string> {
  const scim = world.scim('figshare')
  world.sandbox.figshare.fault({ mode: 'ok' })
  const { id } = (await scim.post('/Users', aUser())).body
  world.sandbox.figshare.fault({ mode: '500' })
  const answer = await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }])
  if (answer.status !== 429) throw new Error(`the change was answered ${answer.status}`)
  return id
}
