import { PlatformError, Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { GrantOperation } from '../store/grant-store.ts'
import type { StoredResource, StoreWriter } from '../store/store.ts'
import {
  type AcceptedGroup,
  acceptGroupCreate,
  acceptGroupDelete,
  acceptGroupUpdate,
  type GroupChange,
} from './accept-group.ts'
import type { Answers } from './answers.ts'
import type { Asked, ProvisionedConnection, World } from './connection.ts'
import type { AcceptContext } from './intent.ts'
import { reconcileCaller } from './reconcile-operation.ts'
import { refusedText } from './refused-text.ts'
import { type ManySettled, runMany } from './run-many.ts'
import type { Runner } from './runner.ts'
import { withdrawMembers } from './withdraw-members.ts'

/** What the SCIM layer asks of the groups of one connection. Everything thrown is a `Problem`, or a failure of the store. */
export interface ProvisionedGroups {
  /** Answers the group as stored when the grants of its members are as asked (`confirmed`) or durable (`deferred`). */
  create(
    asked: Asked,
    group: { readonly document: JsonObject; readonly members: readonly string[] },
  ): Promise<StoredResource>
  /** `compute` runs in the transaction that stores its result. Undefined: there is no such group. */
  update(
    asked: Asked,
    id: string,
    compute: (current: StoredResource) => GroupChange,
  ): Promise<StoredResource | undefined>
  /** False: there is no such group. */
  delete(asked: Asked, id: string, isExpected: (version: number) => boolean): Promise<boolean>
}

export function createProvisionedGroups(
  connection: ProvisionedConnection,
  world: World,
  runner: Runner,
  { notYet, problemOf }: Answers,
): ProvisionedGroups {
  const { store, clock } = world
  const { name } = connection
  const places = Math.max(1, connection.facts.pace.concurrency) * 4

  async function accept<T extends AcceptedGroup | undefined>(
    asked: Asked,
    work: (write: StoreWriter, context: AcceptContext) => Promise<T>,
  ): Promise<T> {
    const context = { connection, world, asked, isFlushed: () => false }
    const accepted = await store.transaction((write) => work(write, context))
    supersede(accepted?.renewed ?? [])
    const { operation, stored } = accepted ?? {}
    if (operation?.replacedId !== undefined && stored !== undefined)
      runner.supersede(stored.id, operation.replacedId, operation.id)
    return accepted
  }

  /** Confirmed mode: the platform has been read as wanted, for the group and for everybody whom the request concerns. */
  async function finish(asked: Asked, accepted: AcceptedGroup): Promise<void> {
    if (connection.mode === 'deferred') return runner.wake()
    const { operation, stored, members } = accepted
    let { concerned } = accepted
    if (operation !== undefined) {
      const only = [{ id: operation.id, resourceId: stored.id }]
      const run = operation.isAsker ? runner.runNow : runner.runAlongside
      let isNew = false
      const settled = await runMany(only, 1, asked.signal, async (one) => {
        const settled = await run(one, asked.signal)
        isNew = settled.kind === 'applied' && settled.isGroupNew === true
        return settled
      })
      const [refused] = settled.refused
      if (refused !== undefined && operation.isAsker) {
        await takeBackMembers(asked, accepted)
        throw problemOf(refused.settled.error)
      }
      refuseUnfinished(settled, undefined)
      // The one that was to get another name was gone from the platform: all its members get into a new one.
      if (isNew && operation.kind === 'update' && operation.isAsker)
        concerned = [...new Set([...concerned, ...(await store.members(name, stored.id)).map(({ id }) => id)])]
    }
    if (concerned.length === 0) return
    const startedAt = clock.now()
    const operations = await store.operationsOf(name, concerned)
    const mine = operations.filter(({ about }) => about === 'grants' || about === 'both')
    const settled = await runMany(mine, places, asked.signal, (one) => runMember(one, asked.signal))
    // Who has no account any more is a user no more, and holds nothing: only who was to come is refused.
    const refused = settled.refused.filter(
      ({ resourceId, settled: { error } }) => error.kind !== 'absent' || members.added.has(resourceId),
    )
    if (refused.length > 0) throw await takeBack(asked, accepted, refused)
    refuseUnfinished(settled, estimate(mine.length, settled.unfinished, startedAt))
  }

  /** What another request asked for the member's account may be refused, and is undone: the membership is tried without it. */
  async function runMember(member: { readonly id: number; readonly resourceId: string }, signal: AbortSignal) {
    const settled = await runner.runAlongside(member, signal)
    if (settled.kind !== 'refused') return settled
    const [left] = await store.operationsOf(name, [member.resourceId])
    return left?.state === 'waiting' ? runner.runAlongside(left, signal) : settled
  }

  function refuseUnfinished({ unfinished, dueAt, error }: ManySettled, estimatedAt: number | undefined): void {
    if (unfinished === 0) return
    const due = dueAt ?? estimatedAt
    if (error instanceof PlatformError) throw notYet(error.message, due, error)
    throw notYet(
      `${unfinished} members are still waiting for the platform; the change is kept and will be finished.`,
      due,
    )
  }

  /** At the rate so far: Okta gives up after ten tries, so the wait has to be an honest one. */
  function estimate(all: number, unfinished: number, startedAt: number): number | undefined {
    const done = all - unfinished
    if (done === 0) return undefined
    return clock.now() + ((clock.now() - startedAt) / done) * unfinished
  }

  function supersede(operations: readonly GrantOperation[]): void {
    for (const { resourceId, id, replacedId } of operations)
      if (replacedId !== undefined) runner.supersede(resourceId, replacedId, id)
  }

  /** `mayWithdraw`: looked at in the same transaction. Answers whether the group is gone. */
  async function withdraw(
    asked: Asked,
    groupId: string,
    members: { readonly added: readonly string[]; readonly removed: readonly string[] },
    mayWithdraw: (write: StoreWriter) => Promise<boolean> = async () => true,
  ): Promise<boolean> {
    const withdrawn = await store.transaction(async (write) =>
      (await mayWithdraw(write)) ? withdrawMembers(write, { connection, world, asked }, groupId, members) : undefined,
    )
    supersede(withdrawn?.operations ?? [])
    runner.wake()
    return withdrawn?.isGroupGone === true
  }

  /** The group itself is refused what was asked: so are the members that came or went with it. What is kept for an operator stays. */
  async function takeBackMembers(asked: Asked, { stored, members }: AcceptedGroup): Promise<void> {
    const [added, removed] = [[...members.added], [...members.removed]]
    if (added.length + removed.length === 0) return
    await withdraw(asked, stored.id, { added, removed }, async (write) => {
      const operation = await write.getOperation(name, stored.id)
      return operation === undefined || operation.caller === reconcileCaller
    })
  }

  /** What the platform refuses is no membership: the identity provider and the store agree on that. */
  async function takeBack(
    asked: Asked,
    { stored, members }: AcceptedGroup,
    refused: ManySettled['refused'],
  ): Promise<Problem> {
    const ids = refused.map(({ resourceId }) => resourceId)
    const added = ids.filter((id) => members.added.has(id))
    const removed = ids.filter((id) => members.removed.has(id))
    const isGroupGone = await withdraw(asked, stored.id, { added, removed })
    const { error } = refused[0]?.settled ?? {}
    const problem = error === undefined ? undefined : problemOf(error)
    const others = ids.filter((id) => !members.added.has(id) && !members.removed.has(id))
    const reached = isGroupGone
      ? { takenBack: [], kept: [], left: ids }
      : { takenBack: [...added, ...removed], kept: others, left: [] }
    return new Problem(
      // The member is gone, not the group.
      error?.kind === 'absent' ? 400 : (problem?.status ?? 400),
      problem?.scimType ?? 'invalidValue',
      refusedText({ ...reached, reason: problem?.message ?? '' }),
      { cause: error, headers: problem?.headers ?? {} },
    )
  }

  /** A create that is refused leaves nothing: the same request would find its name taken. What others were given goes, too. */
  async function forget(asked: Asked, id: string): Promise<void> {
    await accept(asked, async (write, context) => {
      const created = await write.getResource(name, 'Group', id)
      return created === undefined ? undefined : acceptGroupDelete(write, context, created)
    })
    runner.wake()
  }

  return {
    async create(asked, group) {
      const accepted = await accept(asked, (write, context) => acceptGroupCreate(write, context, group))
      try {
        await finish(asked, accepted)
      } catch (error) {
        if (error instanceof Problem && error.status < 500 && error.status !== connection.busyStatus)
          await forget(asked, accepted.stored.id)
        throw error
      }
      return (await store.getResource(name, 'Group', accepted.stored.id)) ?? accepted.stored
    },
    async update(asked, id, compute) {
      const accepted = await accept(asked, async (write, context) => {
        const current = await write.getResource(name, 'Group', id)
        return current === undefined ? undefined : acceptGroupUpdate(write, context, current, compute)
      })
      if (accepted === undefined) return undefined
      await finish(asked, accepted)
      return (await store.getResource(name, 'Group', id)) ?? accepted.stored
    },
    async delete(asked, id, isExpected) {
      const accepted = await accept(asked, async (write, context) => {
        const current = await write.getResource(name, 'Group', id)
        if (current === undefined) return undefined
        if (!isExpected(current.version))
          throw new Problem(412, undefined, 'The group was changed meanwhile; read it again.')
        return acceptGroupDelete(write, context, current)
      })
      if (accepted === undefined) return false
      await finish(asked, accepted)
      return true
    },
  }
}
