import type { Request } from 'express'
import type { Credentials } from '../../store/credentials.ts'
import { StoreUnavailable } from '../../store/store.ts'
import { refusalProblem } from '../authenticate.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import type { Gate } from './gate.ts'
import type { LiveSecret } from './live-secret.ts'
import { presentedBy } from './presented.ts'
import { NotAuthenticated } from './refusal.ts'
import type { Watch } from './watch.ts'

/** What somebody may see of `/metrics`: all of it, or what concerns one connection. */
export type MetricsView = { readonly kind: 'all' } | { readonly kind: 'connection'; readonly connection: string }

/** Open, until somebody has a token for it. Throws a `Problem` (401, 429) or `StoreUnavailable`. */
export type MetricsAccess = (request: Request, requestId: string) => Promise<MetricsView>

export function metricsAccess(options: {
  readonly gates: ReadonlyMap<string, Gate>
  readonly tokens: readonly LiveSecret[]
  readonly credentials: Credentials
  readonly watch: Watch
  readonly addressOf: (request: Request) => string
}): MetricsAccess {
  const { gates, tokens, credentials, watch, addressOf } = options
  /** When it was known last. */
  let wasOpen = false
  const isRestricted = tokens.length > 0 || [...gates.values()].some(({ roles }) => roles.has('monitor'))

  /** A token that has expired keeps it closed: nobody decided to open it, and who still asks with that token has to notice. */
  async function isOpen(): Promise<boolean> {
    if (isRestricted) return false
    try {
      const tokens = [...(await credentials.tokens()).values()]
      wasOpen = !tokens.some(({ role, revokedAt }) => role === 'monitor' && revokedAt === undefined)
      return wasOpen
    } catch (error) {
      // Nobody can make a token meanwhile, and that the store is away is what whoever watches wants to see.
      if (wasOpen && error instanceof StoreUnavailable) return true
      throw error
    }
  }

  /** Callers belong to connections: whoever watches one sees nothing of another. */
  async function identify(request: Request, address: string): Promise<MetricsView> {
    const presented = presentedBy(request, false)
    if (presented.kind === 'bearer') {
      const digests = tokens.map((token) => token.digest())
      if (indexOfDigest(digests, sha256(presented.token)) !== -1) return { kind: 'all' }
    }
    let failure = new NotAuthenticated(presented.kind === 'missing' ? 'missing' : 'unknown')
    for (const gate of gates.values()) {
      if (!gate.isFrom(address)) continue
      try {
        const { role } = await gate.identify(presented, address)
        if (role === 'monitor') return { kind: 'connection', connection: gate.connection }
      } catch (error) {
        if (!(error instanceof NotAuthenticated)) throw error
        if (error.reason === 'throttled') failure = error
      }
    }
    throw failure
  }

  return async (request, requestId) => {
    if (await isOpen()) return { kind: 'all' }
    const address = addressOf(request)
    try {
      return await identify(request, address)
    } catch (error) {
      if (!(error instanceof NotAuthenticated)) throw error
      const seconds = watch.failed({ connection: undefined, requestId, address, door: 'metrics' }, error)
      throw refusalProblem(seconds, false)
    }
  }
}

/** The lines of a text of metrics that concern this connection and no other, nor all; its names have neither quotes nor backslashes. */
export function onlyOf(connection: string, text: string): string {
  return text
    .split('\n')
    .filter((line) => line === '' || line.startsWith('#') || line.includes(`connection="${connection}"`))
    .join('\n')
}
