import { claimPollMs } from '../limits.ts'
import type { StoreWriter } from '../store/store.ts'
import { claimLink, releaseLink } from './claims.ts'
import type { OperatorContext } from './operator.ts'
import { findSubject, NotDone } from './operator-order.ts'

/** One transaction about one user, between attempts. */
export async function onSubject<Result>(
  context: OperatorContext,
  user: string,
  work: (write: StoreWriter, resourceId: string) => Promise<Result>,
): Promise<Result> {
  const { store } = context.world
  const resourceId = await store.transaction((write) => findSubject(write, context.connection.name, user))
  return betweenAttempts(context, resourceId, () => store.transaction((write) => work(write, resourceId)))
}

/** While no attempt at the user is in work, here or in another process: it would write over what the action does. */
export function betweenAttempts<Result>(
  context: OperatorContext,
  resourceId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { connection, world, workplace } = context
  return workplace.alone(resourceId, async () => {
    await claimInTurn(context, resourceId)
    try {
      return await work()
    } finally {
      await releaseLink(world.store, connection.name, resourceId)
    }
  })
}

/** An attempt in another process is waited for as long as it may take. */
async function claimInTurn({ connection, world }: OperatorContext, resourceId: string): Promise<void> {
  for (let waited = 0; !(await claimLink(world.store, connection.name, resourceId)); waited += claimPollMs) {
    if (waited >= world.attemptMs)
      throw new NotDone('unfinished', 'another process of the bridge is at work on this user: ask again in a minute')
    await world.clock.sleep(claimPollMs)
  }
}
