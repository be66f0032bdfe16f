import { isHeld, operatorHold } from './guardrails.ts'
import type { OperatorContext } from './operator.ts'
import { auditOrder, type Done, NotDone, type Order } from './operator-order.ts'
import { onSubject } from './operator-subject.ts'

export function hold(context: OperatorContext, order: Order, user: string): Promise<Done> {
  const { connection, world } = context
  return onSubject(context, user, async (write, resourceId) => {
    const operation = await write.getOperation(connection.name, resourceId)
    if (operation === undefined)
      throw new NotDone('nothing_unfinished', 'nothing is unfinished for this user, so there is nothing to hold')
    await write.updateOperation(connection.name, operation.id, operatorHold)
    await auditOrder(write, world, connection.name, order, { action: 'hold', resourceId, operationId: operation.id })
    if (!operation.isDeprovisioning)
      return { affected: 1, text: 'nothing is written for this user until you release it' }
    const line = { connection: connection.name, operation: operation.id, alarm: true }
    world.log.error(line, 'an operator holds a departure: somebody who left may still have an account that is on')
    return { affected: 1, text: 'this user was to be switched off, and the account may STAY ON until you release it' }
  })
}

export function release(context: OperatorContext, order: Order, user: string): Promise<Done> {
  const { connection, world } = context
  return onSubject(context, user, async (write, resourceId) => {
    const operation = await write.getOperation(connection.name, resourceId)
    if (operation === undefined || !isHeld(operation))
      throw new NotDone('not_held', 'nothing is held for this user; to have failed work tried again, use retry')
    const change = { state: 'waiting', attempts: 0, errorKind: undefined, errorMessage: undefined } as const
    await write.updateOperation(connection.name, operation.id, { ...change, dueAt: world.clock.now() })
    await auditOrder(write, world, connection.name, order, { action: 'release', resourceId, operationId: operation.id })
    return { affected: 1, text: 'the work on this user goes on now' }
  })
}

export function releaseAll({ connection, world }: OperatorContext, order: Order): Promise<Done> {
  return world.store.transaction(async (write) => {
    const affected = await write.releaseHeld(connection.name, world.clock.now())
    if (affected === 0) throw new NotDone('not_held', `nothing of ${connection.name} is held by its guardrail`)
    await auditOrder(write, world, connection.name, order, { action: 'release_all', detail: { affected } })
    return { affected, text: 'these departures are carried out now' }
  })
}
