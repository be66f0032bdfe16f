import type { Clock } from '../clock.ts'
import type { PlatformFacts } from '../facts.ts'
import type { Log } from '../log.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { PlatformConnection } from '../platforms/platform.ts'
import type { Store } from '../store/store.ts'
import type { Tracer } from '../tracing.ts'
import type { Guardrails } from './guardrails.ts'

/** One identity-provider application pushing to one instance of a platform, with everything that provisioning needs of it. */
export interface ProvisionedConnection {
  readonly name: string
  readonly mode: 'confirmed' | 'deferred'
  readonly mapping: Mapping
  readonly facts: PlatformFacts
  readonly platform: PlatformConnection
  /** Upper bound of the wait between two attempts. */
  readonly maximumRetryMs: number
  /** See `BreakerOptions.deniedWaitMs`. */
  readonly deniedWaitMs: number | undefined
  readonly guardrails: Guardrails
  /** Members of a group that are no users of this connection. */
  readonly unknownMembers: 'refuse' | 'ignore'
  /** Status of "not now": 429, or 503 for identity providers that prefer it. */
  readonly busyStatus: 429 | 503
}

/** What provisioning needs of the world. */
export interface World {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** 0 ≤ x < 1; jitter only. */
  readonly random: () => number
  readonly newId: () => string
  /** Real milliseconds that one attempt may take. */
  readonly attemptMs: number
  /** Undefined: nothing is traced. */
  readonly tracer?: Tracer | undefined
}

/** Who asked, and until when an answer is wanted. */
export interface Asked {
  readonly requestId: string
  readonly caller: string
  /** Aborted when the request's budget is spent; what was accepted goes on without it. */
  readonly signal: AbortSignal
}
