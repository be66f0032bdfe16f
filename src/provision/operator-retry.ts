import type { Cause } from '../store/operator-store.ts'
import { isHeld } from './guardrails.ts'
import type { OperatorContext } from './operator.ts'
import { auditOrder, type Done, NotDone, type Order } from './operator-order.ts'
import { onSubject } from './operator-subject.ts'

export function retry(context: OperatorContext, order: Order, user: string): Promise<Done> {
  const { connection, world } = context
  return onSubject(context, user, async (write, resourceId) => {
    const operation = await write.getOperation(connection.name, resourceId)
    if (operation === undefined) {
      throw new NotDone(
        'nothing_unfinished',
        'nothing is unfinished for this user; to write everything again, use reapply',
      )
    }
    if (isHeld(operation)) throw new NotDone('held', 'the work on this user is held; release it')
    const { id, accountId } = {
      id: operation.id,
      accountId: (await write.getLink(connection.name, resourceId))?.accountId,
    }
    await write.updateOperation(connection.name, id, { state: 'waiting', attempts: 0, dueAt: world.clock.now() })
    await auditOrder(write, world, connection.name, order, { action: 'retry', resourceId, operationId: id, accountId })
    return { affected: 1, text: 'it is tried again now' }
  })
}

export function retryCause({ connection, world }: OperatorContext, order: Order, cause: Cause): Promise<Done> {
  return world.store.transaction(async (write) => {
    const affected = await write.retryOperations(connection.name, cause, world.clock.now())
    if (affected === 0) {
      throw new NotDone(
        'nothing_unfinished',
        `no failed or waiting work of ${connection.name} has this error (${cause.kind})`,
      )
    }
    const detail = { cause: cause.kind, affected }
    await auditOrder(write, world, connection.name, order, { action: 'retry_cause', detail })
    return { affected, text: 'they are tried again now, at the pace of the connection' }
  })
}

export async function resume({ connection, world, workplace }: OperatorContext, order: Order): Promise<Done> {
  await world.store.transaction((write) => auditOrder(write, world, connection.name, order, { action: 'resume' }))
  workplace.resume()
  return { affected: 1, text: 'the platform is asked whether it is back; when it is, everything that waits goes on' }
}
