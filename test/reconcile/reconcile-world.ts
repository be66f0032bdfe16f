/** A bridge that is asked to walk over a platform's accounts, as a command asks it: through the store beside it. */
import { join } from 'node:path'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { openBeside } from '../../src/store/beside.ts'
import { createSealer, plainSealer } from '../../src/store/sealing.ts'
import type { Finding, NewWalk, Situation, Walk } from '../../src/store/walk-store.ts'
import { type FigshareBridge, type FigshareBridgeOptions, startFigshareBridge } from '../figshare-bridge.ts'

export interface Reconciled {
  readonly walk: Walk
  readonly findings: readonly Finding[]
  /** The only finding in this situation. */
  only(situation: Situation): Finding
}

export interface ReconcileWorld extends FigshareBridge {
  /** Walks to the end; time goes on meanwhile. */
  reconcile(platform: DemoPlatform, how?: Partial<NewWalk>): Promise<Reconciled>
  ask(platform: DemoPlatform, how?: Partial<NewWalk>): Promise<number>
  ended(platform: DemoPlatform, number: number): Promise<Reconciled>
  /** `scim_bridge_…` of /metrics with these labels. */
  metric(name: string, labels: string): Promise<number | undefined>
  alarms(): string[]
}

type Test = Parameters<typeof startFigshareBridge>[0]

export async function startReconcileWorld(t: Test, options: FigshareBridgeOptions = {}): Promise<ReconcileWorld> {
  const bridge = await startFigshareBridge(t, options)
  const { world } = bridge

  const sealer = options.storeKey === undefined ? plainSealer : createSealer(options.storeKey)
  const beside = () => openBeside({ kind: 'sqlite', file: join(world.directory, 'bridge.sqlite') }, world.clock, sealer)
  const ask = async (platform: DemoPlatform, how: Partial<NewWalk> = {}) => {
    // What was written before this moment is not newer than what the walk reads.
    world.clock.advance(1_000)
    const store = beside()
    try {
      const askedAt = world.clock.now()
      const plain = {
        purpose: 'reconcile',
        caller: 'test',
        isRepair: false,
        isRecreate: false,
        isDryRun: false,
      } as const
      return await store.addWalk(platform, { ...plain, askedAt, ...how })
    } finally {
      store.close()
    }
  }
  const ended = async (platform: DemoPlatform, number: number): Promise<Reconciled> => {
    const store = beside()
    try {
      await bridge.until('the walk has ended', async () => {
        const phase = (await store.getWalk(platform, number))?.phase
        return phase === 'finished' || phase === 'failed'
      })
      const walk = await store.getWalk(platform, number)
      if (walk === undefined) throw new Error('no such walk')
      const findings = await store.findings(platform, number, { afterAccount: '', limit: 10_000 })
      const only = (situation: Situation) => {
        const [found, ...others] = findings.filter((finding) => finding.situation === situation)
        if (found === undefined || others.length > 0)
          throw new Error(`${others.length + (found === undefined ? 0 : 1)} ${situation}: ${JSON.stringify(findings)}`)
        return found
      }
      return { walk, findings, only }
    } finally {
      store.close()
    }
  }
  return {
    ...bridge,
    ask,
    ended,
    reconcile: async (platform, how) => ended(platform, await ask(platform, how)),
    async metric(name, labels) {
      const text = await (await fetch(`${world.url}/metrics`)).text()
      const line = text.split('\n').find((one) => one.startsWith(`${name}{${labels}}`))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    },
    alarms: () => world.logLines.filter((line) => line.includes('"alarm":true')),
  }
}
