import { alarmKinds, sentenceOf } from '../alarms/conditions.ts'
import { unsaid } from '../alarms/way.ts'
import type { OperatedConnection } from '../operator/connection.ts'
import { summaryOf } from '../operator/summary.ts'
import { timeOf } from './done.ts'
import { type AdminOptions, type AdminVisit, connectionOf } from './visit.ts'

/** Every connection of the caller at a glance; a configuration has some dozens at most. */
export function createConnections(options: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async ({ caller }) => {
    const visible = [...options.connections.values()].filter(({ name }) => caller.roles.has(name))
    return { items: await Promise.all(visible.map((connection) => overview(connection, options))) }
  }
}

export function createConnection(options: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return (visit) => overview(connectionOf(visit, options), options)
}

/** Counts and classes. The texts of errors may name a value of a person: they are told to `read`, with the operations. */
async function overview(connection: OperatedConnection, { store }: AdminOptions): Promise<object> {
  const { name, platform, mode, pace, health, suspension, lastError, reconciled, ...counts } = await summaryOf(
    connection,
    store,
  )
  return {
    name,
    platform,
    mode,
    health: { state: health.label.toLowerCase(), level: health.level, text: health.text },
    suspendedFor: suspension,
    pace: pace === 'off' ? undefined : pace,
    counts: {
      people: counts.users,
      active: counts.active,
      groups: counts.groups,
      waiting: counts.waiting,
      failed: counts.failed,
      held: counts.held,
    },
    lastError: lastError && {
      errorKind: lastError.kind,
      text: lastError.text,
      state: lastError.state,
      count: lastError.count,
      since: lastError.since,
    },
    reconciled: reconciled && { at: timeOf(reconciled.at), counts: reconciled.counts },
  }
}

/** What operators are told of now, and what has ended without everybody having been told. */
export function createAlarmList({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const stored = await store.alarms(name)
    const items = alarmKinds.flatMap((kind) => {
      const ofKind = stored.filter((alarm) => alarm.kind === kind)
      const shown = ofKind.find(({ isOver }) => !isOver) ?? ofKind[0]
      if (shown === undefined) return []
      const { detail, since, isOver } = shown
      const tellings = ofKind.flatMap(({ way, told, failures }) => (way === unsaid ? [] : [{ way, told, failures }]))
      const state = isOver ? 'ended' : 'on'
      return [{ kind, state, since: timeOf(since), detail, text: sentenceOf(kind, name, detail), tellings }]
    })
    return { items }
  }
}
