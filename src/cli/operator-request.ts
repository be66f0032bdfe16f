/**
 * What an operator wants, done: while a bridge holds the store it is asked through a row beside it; while none runs, this
 * process does it, and what has to be written on the platform waits for the bridge's next start.
 */
import { existsSync } from 'node:fs'
import { provisionedConnection, sealerOf } from '../bridge.ts'
import type { Clock } from '../clock.ts'
import type { Config, ConnectionConfig } from '../config/config.ts'
import { requestBudgetMs } from '../limits.ts'
import { createLog } from '../log.ts'
import { createOperator, emptyWorkplace } from '../provision/operator.ts'
import { findSubject } from '../provision/operator-order.ts'
import { perform } from '../provision/operator-requests.ts'
import type { StoreBeside } from '../store/beside.ts'
import { StoreInUse } from '../store/failures.ts'
import { type AnyStore, openBesideBridge, openInsteadOfBridge } from '../store/open-location.ts'
import type { NewOperatorRequest, OperatorRequest } from '../store/operator-store.ts'
import type { StoreWriter } from '../store/store.ts'
import { progressBar } from './output.ts'

const pollMs = 250

export interface Place {
  readonly config: Config
  readonly connection: ConnectionConfig
  readonly clock: Clock
}

/** `user`: id or userName. */
export interface OperatorWish extends Omit<NewOperatorRequest, 'resourceId' | 'askedAt'> {
  readonly user: string | undefined
  /** False: a long one is left to the bridge once it has begun. */
  readonly isAwaited: boolean
}

export interface Answered {
  readonly result: 'done' | 'refused' | 'kept'
  /** The user's id, where it is about one. */
  readonly user: string | undefined
  readonly affected: number
  readonly text: string
}

/** Throws when the store cannot be used, or the bridge stops in between. */
export async function ask(place: Place, wish: OperatorWish, progress: (text: string) => void): Promise<Answered> {
  const { config } = place
  // Opening would make an empty one.
  if (config.store.kind === 'sqlite' && !existsSync(config.store.file))
    throw new Error(`${config.store.file} does not exist: start the bridge first`)
  let store: AnyStore
  try {
    store = await openInsteadOfBridge(config.store, surroundingsOf(place))
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
    return await askBridge(place, wish, progress)
  }
  try {
    return await doHere(store, place, wish)
  } finally {
    await store.close()
  }
}

function surroundingsOf({ config, clock }: Place) {
  return { clock, log: createLog('silent'), sealer: sealerOf(config) }
}

async function askBridge(place: Place, wish: OperatorWish, progress: (text: string) => void): Promise<Answered> {
  const { config, connection, clock } = place
  const { name } = connection
  const beside = await openBesideBridge(config.store, surroundingsOf(place))
  try {
    const request = await newRequest(beside, name, wish, clock)
    const number = await beside.addOperatorRequest(name, request)
    for (;;) {
      const present = await beside.getOperatorRequest(name, number)
      if (present === undefined) throw new Error('the bridge has forgotten the request: many others came after it')
      if (present.phase === 'done' || present.phase === 'refused') return answered(present)
      if (present.phase === 'running' && !wish.isAwaited) {
        return { ...answered(present), result: 'kept', text: 'the bridge has begun, and goes on by itself' }
      }
      if (!(await beside.isHeld())) await explainStop(beside, name, number)
      progress(progressText(present))
      await clock.sleep(pollMs)
    }
  } finally {
    progress('')
    await beside.close()
  }
}

async function explainStop(beside: StoreBeside, name: string, number: number): Promise<never> {
  const wasWithdrawn = await beside.withdrawOperatorRequest(name, number)
  throw new Error(
    wasWithdrawn
      ? 'the bridge has stopped before it began; run the command again'
      : 'the bridge has stopped in the middle; it goes on with its next start',
  )
}

async function doHere(store: AnyStore, { config, connection, clock }: Place, wish: OperatorWish): Promise<Answered> {
  const { name } = connection
  const request = await store.transaction((write) => newRequest(write, name, wish, clock))
  if (wish.action === 'reapply_all') {
    await store.transaction((write) => write.addOperatorRequest(name, request))
    return { result: 'kept', user: undefined, affected: 0, text: 'no bridge runs; it begins with its next start' }
  }
  if (wish.action === 'resume')
    return { result: 'refused', user: undefined, affected: 0, text: 'no bridge runs; its next start asks the platform' }
  const provisioned = provisionedConnection(connection, config, clock)
  const world = {
    store,
    clock,
    log: createLog('silent'),
    random: Math.random,
    newId: () => crypto.randomUUID(),
    attemptMs: requestBudgetMs,
  }
  try {
    const operator = createOperator(provisioned, world, emptyWorkplace)
    const whole: OperatorRequest = { ...nothingYet, ...request, connection: name }
    const { phase, affected, answer = '' } = await perform(operator, whole)
    const isDone = phase === 'done'
    // What was cancelled is over at once, whoever runs.
    const isLater = isDone && wish.action !== 'cancel_reapply'
    const text = isLater ? `${answer} (no bridge runs: with its next start)` : answer
    return { result: isDone ? 'done' : 'refused', user: request.resourceId, affected, text }
  } finally {
    await provisioned.platform.close()
  }
}

const nothingYet = {
  number: 0,
  phase: 'asked',
  place: undefined,
  affected: 0,
  total: undefined,
  answer: undefined,
  finishedAt: undefined,
} as const

async function newRequest(
  read: Pick<StoreWriter, 'getAnyResource' | 'findByUniqueName' | 'getOperation'>,
  connection: string,
  { user, isAwaited: _isAwaited, ...wish }: OperatorWish,
  clock: Clock,
): Promise<NewOperatorRequest> {
  const resourceId = user === undefined ? undefined : await findSubject(read, connection, user)
  return { ...wish, resourceId, askedAt: clock.now() }
}

function answered({ phase, resourceId, affected, answer = '' }: OperatorRequest): Answered {
  return { result: phase === 'refused' ? 'refused' : 'done', user: resourceId, affected, text: answer }
}

function progressText({ phase, affected, total, answer }: OperatorRequest): string {
  if (phase === 'asked') return 'waiting for the running bridge'
  return total === undefined ? (answer ?? '') : `${progressBar(affected, total)}  ${answer ?? ''}`
}
