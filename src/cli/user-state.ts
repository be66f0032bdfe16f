/** What the bridge has of one user, and of all whose work waits for a person. No value of a person but the userName. */
import { existsSync } from 'node:fs'
import { sealerOf } from '../bridge.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import { isActiveDocument, parseDocument } from '../provision/document.ts'
import { findSubject } from '../provision/operator-order.ts'
import type { StoreBeside } from '../store/beside.ts'
import { openBesideBridge } from '../store/open-location.ts'
import type { StoppedOperation } from '../store/operator-store.ts'

export interface UserState {
  readonly id: string
  readonly userName: string | undefined
  /** What the identity provider asked for; undefined once deleted. */
  readonly active: boolean | undefined
  readonly link: 'proposed' | 'live' | 'tombstone' | 'let go' | 'none'
  readonly accountId: string | undefined
  readonly lastAppliedAt: string | undefined
  readonly drift: readonly string[]
  readonly work: Work | undefined
}

interface Work {
  readonly kind: string
  readonly state: string
  readonly attempts: number
  readonly since: string
  readonly dueAt: string
  readonly error: string | undefined
  readonly text: string | undefined
  readonly askedBy: string
}

/** A bridge that is using the store is not disturbed. */
export async function withStore<Result>(
  config: Config,
  clock: Clock,
  work: (beside: StoreBeside) => Promise<Result>,
): Promise<Result> {
  const { store } = config
  if (store.kind === 'sqlite' && !existsSync(store.file))
    throw new Error(`${store.file} does not exist: start the bridge first`)
  const beside = await openBesideBridge(store, { clock, log: createLog('silent'), sealer: sealerOf(config) })
  try {
    return await work(beside)
  } finally {
    await beside.close()
  }
}

/** Throws `NotDone` when there is no such user. */
export async function readUserState(beside: StoreBeside, connection: string, user: string): Promise<UserState> {
  const id = await findSubject(beside, connection, user)
  const resource = await beside.getAnyResource(connection, 'User', id)
  const link = await beside.getLink(connection, id)
  const operation = await beside.getOperation(connection, id)
  const document = resource === undefined ? undefined : parseDocument(resource.json)
  return {
    id,
    userName: typeof document?.userName === 'string' ? document.userName : link?.userName,
    active: document === undefined ? undefined : isActiveDocument(document),
    link: link?.unlinkedAccountId === undefined ? (link?.state ?? 'none') : 'let go',
    accountId: link?.accountId ?? link?.unlinkedAccountId,
    lastAppliedAt: link?.lastAppliedAt,
    drift: link?.drift ?? [],
    work: operation && {
      kind: operation.isDeprovisioning && operation.kind === 'update' ? 'switch off' : operation.kind,
      state: operation.state,
      attempts: operation.attempts,
      since: operation.createdAt,
      dueAt: new Date(operation.dueAt).toISOString(),
      error: operation.errorKind,
      text: operation.errorMessage,
      askedBy: operation.caller,
    },
  }
}

/** Whether a person has to do something. */
export function isLeft({ link, work }: UserState): boolean {
  return link === 'let go' || work?.state === 'failed' || work?.state === 'held'
}

export function stateText(connection: string, state: UserState): string {
  const { id, userName, active, link, accountId, lastAppliedAt, drift, work } = state
  const wish = active === undefined ? 'deleted' : active ? 'active' : 'not active'
  const account = accountId === undefined ? 'no account' : `account ${accountId}`
  const lines = [
    `${connection}: ${userName ?? id} (${id})`,
    `  asked for   ${wish}`,
    `  link        ${link}, ${account}${lastAppliedAt === undefined ? '' : `, last written or confirmed ${lastAppliedAt}`}`,
  ]
  if (drift.length > 0) lines.push(`  left        as it is on the platform: ${drift.join(', ')}`)
  if (work === undefined) lines.push('  work        nothing is unfinished')
  else {
    lines.push(
      `  work        ${work.kind}, ${work.state} since ${work.since}, asked by ${work.askedBy}, ${work.attempts} attempts`,
    )
    if (work.state === 'waiting') lines.push(`              next attempt ${work.dueAt}`)
    if (work.error !== undefined) lines.push(`              ${work.error}: ${work.text ?? ''}`)
  }
  return `${lines.join('\n')}\n`
}

const batch = 500

/** All of them, a batch at a time. */
export async function* stoppedOf(beside: StoreBeside, connection: string): AsyncGenerator<StoppedOperation> {
  for (let afterId = 0; ; ) {
    const operations = await beside.stoppedOperations(connection, afterId, batch)
    yield* operations
    const last = operations.at(-1)
    if (last === undefined || operations.length < batch) return
    afterId = last.id
  }
}

export function stoppedText({ resourceId, state, kind, errorKind, errorMessage }: StoppedOperation): string {
  const because = errorKind === undefined ? '' : `  ${errorKind}: ${errorMessage ?? ''}`
  return `  ${state.padEnd(6)}  ${kind.padEnd(6)}  ${resourceId}${because}`
}
