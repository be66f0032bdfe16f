/** All five platforms at once, as the demo and the tests of the whole bridge use them. */
import { createDspace } from './dspace/dspace.ts'
import { createEthosce } from './ethosce/ethosce.ts'
import { createFigshare } from './figshare/figshare.ts'
import { createOpenspecimen } from './openspecimen/openspecimen.ts'
import { createSelfcommunity } from './selfcommunity/selfcommunity.ts'
import { startSimulator } from './server.ts'
import type { PlatformLogic, RunningSimulator, SeedPerson } from './simulator.ts'

export type SandboxSimulator<Logic extends PlatformLogic> = RunningSimulator & {
  /** An administrator's, for the platform's own sign-in. */
  readonly credentials: Logic['credentials']
  /** State and knobs of the imitation. */
  readonly logic: Logic
}

export interface SandboxOptions {
  /** People who have an account on Figshare from the start. */
  readonly seedUsers?: Iterable<SeedPerson>
  /** The platforms' time; milliseconds since 1970. */
  readonly now?: () => number
  /** How far the ids of accounts begin after the lowest, where they count up. */
  readonly skippedIds?: number
  /** Platform → port; a free one where none is given. */
  readonly ports?: Partial<Readonly<Record<SandboxPlatform, number>>>
}

export type SandboxPlatform = 'figshare' | 'ethosce' | 'openspecimen' | 'selfcommunity' | 'dspace'

export interface Sandbox {
  readonly figshare: SandboxSimulator<ReturnType<typeof createFigshare>>
  readonly ethosce: SandboxSimulator<ReturnType<typeof createEthosce>>
  readonly openspecimen: SandboxSimulator<ReturnType<typeof createOpenspecimen>>
  readonly selfcommunity: SandboxSimulator<ReturnType<typeof createSelfcommunity>>
  readonly dspace: SandboxSimulator<ReturnType<typeof createDspace>>
  /** Account ids of the seeded people, in their order. */
  readonly figshareAccountIds: number[]
  close(): Promise<void>
}

/** Rejects, with nothing left running, when a port is taken. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { ports = {}, now = Date.now, skippedIds = 0 } = options
  const started: RunningSimulator[] = []
  const close = async () => {
    await Promise.all(started.map((simulator) => simulator.close()))
  }
  const start = async <Logic extends PlatformLogic>(logic: Logic, port = 0): Promise<SandboxSimulator<Logic>> => {
    const running = await startSimulator(logic, { port })
    started.push(running)
    return Object.assign(running, { credentials: logic.credentials, logic })
  }
  const skipping = <Logic extends PlatformLogic>(logic: Logic): Logic => {
    logic.skipIds?.(skippedIds)
    return logic
  }
  const figshare = skipping(createFigshare({ now }))
  const figshareAccountIds = figshare.seed(options.seedUsers ?? [])
  try {
    return {
      figshare: await start(figshare, ports.figshare),
      ethosce: await start(skipping(createEthosce({ now })), ports.ethosce),
      openspecimen: await start(skipping(createOpenspecimen({ now })), ports.openspecimen),
      selfcommunity: await start(skipping(createSelfcommunity({ now })), ports.selfcommunity),
      dspace: await start(createDspace({ now }), ports.dspace),
      figshareAccountIds,
      close,
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
