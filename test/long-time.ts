/**
 * Hours and days, for tests that wait for them. Nothing is in work when time leaps: a call under way would have lasted for hours,
 * and a session at the platform would be over before its first use.
 */
import type { BridgeWorld } from './bridge-world.ts'
import { eventually } from './eventually.ts'
import { storeRows } from './store-rows.ts'

const leaps = 1_000

/** Time goes on by `stepMs`, again and again, until this is true; what has become due meanwhile is done first. */
export async function eventuallyAfter(
  stepMs: number,
  world: Pick<BridgeWorld, 'clock' | 'directory'>,
  what: string,
  ask: () => boolean | Promise<boolean>,
): Promise<void> {
  const { clock } = world
  for (let leap = 0; leap < leaps; leap += 1) {
    if (await ask()) return
    clock.advance(stepMs)
    await eventually(
      `nothing is due while time passes until ${what}`,
      () => countDue(world) === 0,
      () => clock.advance(1_000),
    )
  }
  throw new Error(`never happened: ${what}`)
}

/** Due, or in work. */
function countDue({ clock, directory }: Pick<BridgeWorld, 'clock' | 'directory'>): number {
  const due = "select count(*) as due from operation where state = 'waiting' and due_at <= ?"
  return Number(storeRows(directory, due, clock.now())[0]?.due)
}
