/** A bridge whose tests look closely at one Figshare: its accounts, what the store believes, and calls held in the middle. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { builtInMappings } from '../src/bridge.ts'
import { isJsonObject, type JsonObject } from '../src/json.ts'
import type { FigshareAccount } from '../src/sandbox/figshare/state.ts'
import type { FaultRequest } from '../src/sandbox/simulator.ts'
import { type BridgeWorld, type ScimClient, startBridgeWorld } from './bridge-world.ts'
import { eventually } from './eventually.ts'
import { storeRows } from './store-rows.ts'

export const provisioningUrn = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'

export interface FigshareBridge {
  readonly world: BridgeWorld
  readonly scim: ScimClient
  /** The one account of a person; undefined when there is none. Throws when there are several. */
  account(user: JsonObject): FigshareAccount | undefined
  accounts(user: JsonObject): readonly FigshareAccount[]
  fault(request: FaultRequest): void
  heal(): void
  /** Resolves when a call has run into the present fault. */
  held(): Promise<void>
  /** The only row that a query on the store gives. */
  row(query: string, ...values: string[]): Record<string, unknown> | undefined
  /** By hand, past the bridge. */
  change(statement: string, ...values: string[]): void
  /** Time goes on until nothing is unfinished. */
  finished(): Promise<void>
  /** Time goes on until this is true. */
  until(what: string, ask: () => boolean | Promise<boolean>): Promise<void>
}

export interface FigshareBridgeOptions {
  readonly mode?: 'confirmed' | 'deferred'
  /** With the mapping that refuses a new e-mail address or userName, instead of the demonstration's. */
  readonly isStrict?: boolean
  readonly workMs?: number
  readonly graceMs?: number
  readonly maximumRetrySeconds?: number
  readonly hold?: boolean
  /** The store is encrypted with it. */
  readonly storeKey?: string
}

export async function startFigshareBridge(
  t: { after(work: () => Promise<void>): void },
  options: FigshareBridgeOptions = {},
): Promise<FigshareBridge> {
  const world = await startBridgeWorld(
    (config) => {
      const { connections } = config
      if (!isJsonObject(connections) || !isJsonObject(connections.figshare)) throw new Error('no such connection')
      const { figshare } = connections
      if (options.mode !== undefined) figshare.mode = options.mode
      if (options.hold !== undefined) figshare.guardrails = { hold: options.hold }
      if (options.isStrict === true) figshare.mapping = `${builtInMappings}/figshare.yaml`
      if (options.maximumRetrySeconds !== undefined) config.retry = { maximumSeconds: options.maximumRetrySeconds }
    },
    {
      ...(options.workMs === undefined ? {} : { workMs: options.workMs }),
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
      ...(options.storeKey === undefined ? {} : { storeKey: options.storeKey }),
    },
  )
  t.after(() => world.stop())
  const { figshare } = world.sandbox
  const file = join(world.directory, 'bridge.sqlite')
  const row = (query: string, ...values: string[]) => storeRows(world.directory, query, ...values)[0]
  const until = (what: string, ask: () => boolean | Promise<boolean>) =>
    eventually(what, ask, () => world.clock.advance(1_000))
  const accounts = (user: JsonObject) => figshare.logic.state.byEmail(emailOf(user))
  return {
    world,
    scim: world.scim('figshare'),
    accounts,
    account(user) {
      const [account, ...others] = accounts(user)
      if (others.length > 0) throw new Error('more than one account')
      return account
    },
    fault: (request) => figshare.fault(request),
    heal: () => figshare.fault({ mode: 'ok' }),
    held: () => eventually('a call ran into the fault', () => figshare.faultCount > 0),
    row,
    change(statement, ...values) {
      const opened = new DatabaseSync(file)
      try {
        opened.prepare(statement).run(...values)
      } finally {
        opened.close()
      }
    },
    finished: () =>
      until(
        'nothing is unfinished',
        () => row("select count(*) as waiting from operation where state <> 'failed'")?.waiting === 0,
      ),
    until,
  }
}

/** Figshare refuses for good what is written of a profile; all else it takes. */
export const refusedProfile = {
  mode: 'answer',
  only: 'writes',
  path: '/account/profile',
  status: 400,
  body: '{"message":"no","code":"x"}',
} as const

/** What a create whose answer was lost comes to, long after. */
export function appear({ world }: Pick<FigshareBridge, 'world'>, user: JsonObject): FigshareAccount {
  return world.sandbox.figshare.logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'Late',
  })
}

export function emailOf(user: JsonObject): string {
  const { emails } = user
  const [first] = Array.isArray(emails) ? emails : []
  return isJsonObject(first) ? String(first.value) : ''
}
