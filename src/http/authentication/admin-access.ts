import type { Request } from 'express'
import type { AdminCaller, AdminRole } from '../../access.ts'
import { insufficientRole, refusalProblem } from '../authenticate.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import type { Gate } from './gate.ts'
import type { LiveSecret } from './live-secret.ts'
import { presentedBy } from './presented.ts'
import { NotAuthenticated } from './refusal.ts'
import type { Watch } from './watch.ts'

/** Throws a `Problem` (401, 403, 429), `StoreUnavailable`, or what an issuer's keys are missing for. */
export type AdminAccess = (request: Request, requestId: string) => Promise<AdminCaller>

/** Holders of `console.tokens`, who see every connection, and whoever has a bearer token of a connection with such a role. */
export function adminAccess(options: {
  readonly gates: ReadonlyMap<string, Gate>
  readonly consoleTokens: readonly LiveSecret[]
  readonly watch: Watch
  readonly addressOf: (request: Request) => string
}): AdminAccess {
  const { gates, consoleTokens, watch, addressOf } = options

  async function identify(request: Request, address: string): Promise<AdminCaller> {
    const presented = presentedBy(request, false)
    // Browsers send Basic credentials along with other sites' requests: they are not taken here.
    if (presented.kind !== 'bearer') throw new NotAuthenticated(presented.kind === 'missing' ? 'missing' : 'malformed')
    const digests = consoleTokens.map((token) => token.digest())
    const index = indexOfDigest(digests, sha256(presented.token))
    if (index !== -1) {
      return { name: `console-${index + 1}`, roles: new Map([...gates.keys()].map((name) => [name, 'operate'])) }
    }
    const roles = new Map<string, AdminRole>()
    let name: string | undefined
    let failure = new NotAuthenticated('unknown')
    for (const gate of gates.values()) {
      if (!gate.isFrom(address)) continue
      try {
        const caller = await gate.identify(presented, address)
        name ??= caller.name
        // A name that one issuer gives at one connection says nothing of the others.
        if (caller.name === name && caller.role !== 'provision') roles.set(gate.connection, caller.role)
      } catch (error) {
        if (!(error instanceof NotAuthenticated)) throw error
        if (error.caller !== undefined) failure = error
      }
    }
    if (name === undefined) throw failure
    if (roles.size === 0) throw insufficientRole()
    return { name, roles }
  }

  return async (request, requestId) => {
    const address = addressOf(request)
    try {
      return await identify(request, address)
    } catch (error) {
      if (!(error instanceof NotAuthenticated)) throw error
      throw refusalProblem(watch.failed({ connection: undefined, requestId, address, door: 'admin' }, error), false)
    }
  }
}
