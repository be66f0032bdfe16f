/** One call on its way through the resources. */
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import type { DspaceKnobs } from './knobs.ts'
import type { Registrations } from './registrations.ts'
import type { DspaceState, EPerson } from './state.ts'

export interface Call {
  readonly state: DspaceState
  readonly knobs: DspaceKnobs
  readonly registrations: Registrations
  readonly siteUuid: string
  readonly request: SimulatorRequest
  /** Undefined: anonymous. */
  readonly caller: EPerson | undefined
  /** Of `_links`: origin and servlet path. */
  readonly baseUrl: string
  /** Groups of the route's pattern, in order; lower case. */
  readonly ids: readonly string[]
  now(): number
}

export type Route = readonly [
  method: string,
  path: RegExp,
  answer: (call: Call) => SimulatorAnswer | Promise<SimulatorAnswer>,
]
