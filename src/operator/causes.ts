/** What is unfinished, by cause: what failed first. */
import { consoleCauses } from '../limits.ts'
import { keysOf, parseDocument } from '../provision/document.ts'
import type { CauseCount, CauseWanted } from '../store/console-store.ts'
import type { Operation } from '../store/store.ts'
import type { OperatedStore } from './connection.ts'
import { cut } from './page.ts'
import { personOf } from './people-search.ts'

export const operationStates: readonly Operation['state'][] = ['failed', 'held', 'waiting', 'running']

export interface Cause extends CauseCount {
  readonly mayRetry: boolean
}

export interface Causes {
  readonly causes: readonly Cause[]
  /** There are more than are shown. */
  readonly isCut: boolean
  /** The guardrail on many departures holds some. */
  readonly hasGuardrailHold: boolean
}

export async function readCauses(store: OperatedStore, connection: string): Promise<Causes> {
  const causes = await store.causes(connection, consoleCauses)
  const rank = ({ state }: CauseCount) => operationStates.indexOf(state)
  return {
    causes: [...causes]
      .sort((a, b) => rank(a) - rank(b) || b.count - a.count)
      .map((cause) => ({
        ...cause,
        mayRetry: cause.errorKind !== undefined && (cause.state === 'failed' || cause.state === 'waiting'),
      })),
    isCut: causes.length === consoleCauses,
    hasGuardrailHold: causes.some(({ state, errorKind }) => state === 'held' && errorKind !== 'operator'),
  }
}

export interface NamedOperation extends Operation {
  /** Whom it is about, in the words of the identity provider. */
  readonly title: string
}

/** A page of the operations of one cause, and where the next one goes on. */
export async function operationsOfCause(
  store: OperatedStore,
  connection: string,
  cause: CauseWanted,
  after: number,
  limit: number,
): Promise<{ readonly operations: readonly NamedOperation[]; readonly next: number | undefined }> {
  const { rows, last } = cut(await store.operationsOfCause(connection, cause, after, limit + 1), limit)
  const operations = await Promise.all(
    rows.map(async (operation) => ({ ...operation, title: await titleOf(store, connection, operation) })),
  )
  return { operations, next: last?.id }
}

async function titleOf(store: OperatedStore, connection: string, { about, resourceId }: Operation): Promise<string> {
  const user = await store.getResource(connection, 'User', resourceId)
  if (user !== undefined) return personOf(parseDocument(user.json)).userName
  const group = about === 'group' ? await store.getResource(connection, 'Group', resourceId) : undefined
  const link = await store.getLink(connection, resourceId)
  const { displayName } = group === undefined ? {} : keysOf(parseDocument(group.json))
  return link?.userName ?? displayName ?? resourceId
}
