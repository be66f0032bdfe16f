/**
 * A walk asked for by a command. While a bridge holds the store, it is asked through a row beside it and does the work at
 * its own pace; while none runs, this process is the bridge of that one connection until the walk has ended.
 */
import { provisionedConnection, sealerOf } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import type { Config, ConnectionConfig } from '../config/config.ts'
import { requestBudgetMs } from '../limits.ts'
import { createLog } from '../log.ts'
import { createProvision } from '../provision/provision.ts'
import { hasEnded, stepWalk } from '../provision/reconcile-walk.ts'
import { importedDocument } from '../scim/import.ts'
import { compileSchemas } from '../scim/schema.ts'
import type { StoreBeside } from '../store/beside.ts'
import { StoreInUse } from '../store/failures.ts'
import { type AnyStore, openBesideBridge, openInsteadOfBridge } from '../store/open-location.ts'
import type { Finding, NewWalk, Situation, Walk, WalkReader } from '../store/walk-store.ts'

const pollMs = 500
/** What a repair has put into the outbox may take so long here; the rest is the bridge's when it runs. */
const outboxMs = 60_000

export interface Ended {
  readonly walk: Walk
  readonly store: Pick<WalkReader, 'findings'>
  /** Operations of the connection that are not done yet; undefined: the running bridge makes them. */
  readonly unfinished: number | undefined
}

export type Wish = Omit<NewWalk, 'caller' | 'askedAt'>

/** `progress` is told of every step; `report` runs while the store is open. Throws when the walk cannot be finished. */
export async function walkFor(
  { config, connection }: { readonly config: Config; readonly connection: ConnectionConfig },
  wish: Wish,
  progress: (text: string) => void,
  report: (ended: Ended) => Promise<void>,
): Promise<void> {
  let store: AnyStore
  try {
    store = await openInsteadOfBridge(config.store, {
      clock: systemClock,
      log: createLog('silent'),
      sealer: sealerOf(config),
    })
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
    return await askBridge(config, connection.name, wish, progress, report)
  }
  try {
    await report(await walkHere(store, config, connection, wish, progress))
  } finally {
    await store.close()
  }
}

async function askBridge(
  config: Config,
  name: string,
  wish: Wish,
  progress: (text: string) => void,
  report: (ended: Ended) => Promise<void>,
): Promise<void> {
  const beside = await openBesideBridge(config.store, {
    clock: systemClock,
    log: createLog('silent'),
    sealer: sealerOf(config),
  })
  try {
    const number = (await sameWalk(beside, name, wish)) ?? (await beside.addWalk(name, asked(wish)))
    const walk = await untilEnded(beside, name, number, progress)
    await report({ walk: finished(walk), store: beside, unfinished: undefined })
  } finally {
    await beside.close()
  }
}

async function untilEnded(
  beside: StoreBeside,
  name: string,
  number: number,
  progress: (text: string) => void,
): Promise<Walk> {
  for (;;) {
    const walk = await beside.getWalk(name, number)
    if (walk === undefined) throw new Error('the walk was forgotten: a later one has replaced it')
    if (hasEnded(walk)) return walk
    if (!(await beside.isHeld())) {
      const wasWithdrawn = await beside.withdrawWalk(name, number)
      throw new Error(
        wasWithdrawn
          ? 'the bridge has stopped before it began; run the command again'
          : 'the bridge has stopped; the walk goes on with its next start, or with this command',
      )
    }
    progress(walk.phase === 'asked' ? 'waiting for the running bridge, which makes changes first' : progressText(walk))
    await systemClock.sleep(pollMs)
  }
}

/** Nobody else works on the connection, so nothing is waited for. */
async function walkHere(
  store: AnyStore,
  config: Config,
  connection: ConnectionConfig,
  wish: Wish,
  progress: (text: string) => void,
): Promise<Ended> {
  const { name } = connection
  const provisioned = provisionedConnection(connection, config, systemClock)
  const world = {
    store,
    clock: systemClock,
    log: createLog('silent'),
    random: Math.random,
    newId: () => crypto.randomUUID(),
    attemptMs: requestBudgetMs,
  }
  const toDocument = importedDocument(compileSchemas({ extensions: connection.extensions }))
  const context = { connection: provisioned, world, toDocument, stopping: new AbortController().signal }
  try {
    const number =
      (await sameWalk(store, name, wish)) ?? (await store.transaction((write) => write.addWalk(name, asked(wish))))
    for (let walk = await store.currentWalk(name); walk !== undefined; walk = await store.currentWalk(name)) {
      progress(progressText(walk))
      const { failures } = walk
      const next = await stepWalk(context, walk)
      if (next.failures > failures)
        throw new Error(
          `the walk has stopped after ${next.accounts} accounts (${next.error}): run the command again to go on`,
        )
    }
    const walk = await store.getWalk(name, number)
    if (walk === undefined) throw new Error('the walk was forgotten')
    if ((await store.countOperations(name)) > 0 && (await hasAsked(store, walk)))
      await workOn(createProvision(provisioned, world), store, name, progress)
    return { walk: finished(walk), store, unfinished: await store.countOperations(name) }
  } finally {
    await provisioned.platform.close()
  }
}

async function workOn(
  provision: ReturnType<typeof createProvision>,
  store: AnyStore,
  name: string,
  progress: (text: string) => void,
): Promise<void> {
  provision.start()
  const endsAt = systemClock.now() + outboxMs
  while (systemClock.now() < endsAt) {
    const unfinished = await store.countOperations(name)
    const isIdle = !provision.isBusy() && (await store.dueOperations(name, systemClock.now(), 1)).length === 0
    if (unfinished === 0 || isIdle) break
    progress(`${unfinished} changes to make`)
    await systemClock.sleep(pollMs)
  }
  await provision.stop(requestBudgetMs)
}

/** Whether anything was put into the outbox: a report that only reads leaves it to the bridge. */
async function hasAsked(store: Pick<WalkReader, 'findings'>, walk: Walk): Promise<boolean> {
  for (const situation of ['drifted', 'revived', 'deleted', 'unlinked'] as const) {
    for await (const { done } of findingsOf(store, walk, situation)) if (done === 'asked') return true
  }
  return false
}

const batch = 500

/** All of them, a batch at a time. */
export async function* findingsOf(
  store: Pick<WalkReader, 'findings'>,
  { connection, number }: Walk,
  situation: Situation,
): AsyncGenerator<Finding> {
  for (let afterAccount = ''; ; ) {
    const findings = await store.findings(connection, number, { situation, afterAccount, limit: batch })
    yield* findings
    const last = findings.at(-1)
    if (last === undefined || findings.length < batch) return
    afterAccount = last.accountId
  }
}

/** A walk that was interrupted, or is asked for twice, is one walk. */
async function sameWalk(store: Pick<WalkReader, 'currentWalk'>, name: string, wish: Wish): Promise<number | undefined> {
  const walk = await store.currentWalk(name)
  const isSame =
    walk?.purpose === wish.purpose &&
    walk.isRepair === wish.isRepair &&
    walk.isRecreate === wish.isRecreate &&
    walk.isDryRun === wish.isDryRun
  return isSame ? walk.number : undefined
}

function asked(wish: Wish): NewWalk {
  return { ...wish, caller: 'command', askedAt: systemClock.now() }
}

function finished(walk: Walk): Walk {
  if (walk.phase === 'finished') return walk
  throw new Error(`the walk has failed after ${walk.accounts} accounts (${walk.error}); the log has the reason`)
}

function progressText({ phase, accounts, error }: Walk): string {
  if (error !== undefined) return `${accounts} accounts; waiting to go on (${error})`
  if (phase === 'absent') return `${accounts} accounts; looking for those that were not listed`
  return phase === 'repair' ? `${accounts} accounts; repairing` : `${accounts} accounts`
}
