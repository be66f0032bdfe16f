/** What an operator asks of a running bridge, through the store beside it, and what became of it. */
import { join } from 'node:path'
import type { RequestedAction } from '../../src/provision/operator-requests.ts'
import { openBeside } from '../../src/store/beside.ts'
import type { OperatorRequest } from '../../src/store/operator-store.ts'
import type { BridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'

export interface Wish {
  readonly user?: string
  readonly detail?: Readonly<Record<string, string | boolean>>
  readonly operator?: string
  readonly why?: string
}

/** Time goes on until the bridge has answered. */
export async function operate(
  world: BridgeWorld,
  action: RequestedAction,
  wish: Wish = {},
  connection = 'figshare',
): Promise<OperatorRequest> {
  const file = join(world.directory, 'bridge.sqlite')
  const beside = openBeside({ kind: 'sqlite', file }, world.clock)
  try {
    const { user: resourceId, detail = {}, operator = 'grace', why = 'a test' } = wish
    const asked = { action, operator, why, resourceId, detail, askedAt: world.clock.now() }
    const number = await beside.addOperatorRequest(connection, asked)
    let request: OperatorRequest | undefined
    await eventually(
      `${action} is answered`,
      async () => {
        request = await beside.getOperatorRequest(connection, number)
        return request?.phase === 'done' || request?.phase === 'refused'
      },
      () => world.clock.advance(1_000),
    )
    if (request === undefined) throw new Error('no request')
    return request
  } finally {
    beside.close()
  }
}
