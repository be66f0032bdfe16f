import type { StoreWriter } from '../store/store.ts'
import type { OperatorContext } from './operator.ts'
import { findSubject } from './operator-order.ts'

/** One transaction about one user, between attempts. */
export async function onSubject<Result>(
  { connection, world, workplace }: Pick<OperatorContext, 'connection' | 'world' | 'workplace'>,
  user: string,
  work: (write: StoreWriter, resourceId: string) => Promise<Result>,
): Promise<Result> {
  const { store } = world
  const resourceId = await store.transaction((write) => findSubject(write, connection.name, user))
  return workplace.alone(resourceId, () => store.transaction((write) => work(write, resourceId)))
}
