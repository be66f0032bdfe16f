/** A connection at a glance. */
import { consoleCauses } from '../limits.ts'
import type { CauseCount } from '../store/console-store.ts'
import type { OperatedConnection, OperatedStore } from './connection.ts'
import { counted, errorText, stateText } from './words.ts'

type State = CauseCount['state']

/** How a connection is, in the words of a badge. */
export interface Health {
  readonly label: 'Suspended' | 'Held' | 'Look' | 'Retrying' | 'Working' | 'Well'
  readonly level: 'good' | 'warning' | 'bad'
  readonly text: string
}

export interface Summary {
  readonly name: string
  readonly platform: string
  readonly mode: 'confirmed' | 'deferred'
  readonly pace: OperatedConnection['pace']
  readonly health: Health
  /** Class of the error for which calls to the platform are suspended. */
  readonly suspension: string | undefined
  readonly users: number
  readonly active: number
  readonly groups: number
  readonly failed: number
  readonly held: number
  readonly waiting: number
  /** Of what most operations wait for, or stopped at. */
  readonly lastError: LastError | undefined
  readonly reconciled: { readonly at: number; readonly counts: Readonly<Record<string, number>> } | undefined
}

export interface LastError {
  readonly kind: string | undefined
  readonly text: string
  readonly detail: string | undefined
  readonly state: string
  readonly count: number
  readonly since: string
}

export async function summaryOf({ name, provision, pace }: OperatedConnection, store: OperatedStore): Promise<Summary> {
  const { mode, facts } = provision.connection
  const [users, active, groups, causes, walk] = await Promise.all([
    store.count(name, 'User'),
    store.count(name, 'User', { attribute: 'active', equals: true }),
    store.count(name, 'Group'),
    store.causes(name, consoleCauses),
    store.lastFinishedWalk(name, 'reconcile'),
  ])
  const inState = (state: State) => causes.reduce((sum, cause) => sum + (cause.state === state ? cause.count : 0), 0)
  const counts = { failed: inState('failed'), held: inState('held'), waiting: inState('waiting') + inState('running') }
  const worst = causes.find((cause) => cause.errorKind !== undefined)
  const suspension = provision.suspension()
  return {
    name,
    platform: facts.title,
    mode,
    pace,
    health: healthOf(suspension, counts, worst),
    suspension,
    users,
    active,
    groups,
    ...counts,
    lastError: worst && {
      kind: worst.errorKind,
      text: errorText(worst.errorKind),
      detail: worst.errorMessage,
      state: stateText(worst.state),
      count: worst.count,
      since: worst.since,
    },
    reconciled: walk && { at: walk.finishedAt ?? walk.askedAt, counts: walk.counts },
  }
}

function healthOf(
  suspension: string | undefined,
  { failed, held, waiting }: { failed: number; held: number; waiting: number },
  worst: CauseCount | undefined,
): Health {
  if (suspension !== undefined)
    return { label: 'Suspended', level: 'bad', text: `${errorText(suspension)}. What was asked is kept.` }
  if (held > 0)
    return {
      label: 'Held',
      level: 'bad',
      text: `${counted(held, 'departure waits', 'departures wait')} for your word.`,
    }
  if (failed > 0)
    return { label: 'Look', level: 'warning', text: `${counted(failed, 'operation has', 'operations have')} failed.` }
  if (worst !== undefined) return { label: 'Retrying', level: 'warning', text: `${errorText(worst.errorKind)}.` }
  if (waiting > 0)
    return {
      label: 'Working',
      level: 'good',
      text: `${counted(waiting, 'operation is', 'operations are')} on the way.`,
    }
  return { label: 'Well', level: 'good', text: 'Everything that was asked is done.' }
}
