/** The part of `bridge.yaml` that says where traces go. */
import { z } from 'zod'
import { isJsonObject, type Json } from '../json.ts'
import { checkOutgoing, type HostProblem, receiverUrl } from './outgoing-url.ts'
import type { Report } from './references.ts'

/** More than any collector asks for. */
const mostHeaders = 10

/** What the exporter says itself. */
const takenHeaders = new Set(['content-type', 'content-length', 'content-encoding', 'host', 'user-agent'])

const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'is no name of a header: letters, digits and hyphens' })
      .refine((name) => !takenHeaders.has(name.toLowerCase()), { error: 'is said by the bridge itself' }),
    z
      .string()
      .min(1)
      .regex(/^[\t\u0020-\u007e]*$/, { error: 'has characters that may not stand in a header' }),
  )
  .refine((record) => Object.keys(record).length <= mostHeaders, { error: `has more than ${mostHeaders} entries` })

/** `telemetry.traces`. */
export const tracesFormat = z.strictObject({
  endpoint: receiverUrl,
  headers: headers.default({}),
  ratio: z.number().min(0).max(1).default(1),
  serviceName: z.string().min(1).max(255).default('scim-bridge'),
  tellPlatforms: z.boolean().default(false),
  allowHttp: z.boolean().default(false),
  allowPrivateAddresses: z.boolean().default(false),
})

export const telemetryFormat = z.strictObject({ traces: tracesFormat.optional() }).optional()

/** Keys by place, for suggestions. */
export const telemetryKeys: readonly (readonly [string, readonly string[]])[] = [
  ['telemetry', ['traces']],
  ['telemetry.traces', Object.keys(tracesFormat.shape)],
]

export interface TracesConfig {
  /** Whole, path included. */
  readonly endpoint: string
  /** As they are now: they may come from files that are replaced. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly ratio: number
  readonly serviceName: string
  /** Whether platforms are told of the trace that a call belongs to. */
  readonly tellPlatforms: boolean
  readonly allowPrivateAddresses: boolean
}

/** `present` gives a secret as it is now. */
export function tracesConfig(
  telemetry: z.output<typeof telemetryFormat>,
  present: (place: string, text: string) => () => string,
): TracesConfig | undefined {
  if (telemetry?.traces === undefined) return undefined
  const { allowHttp: _, headers, ...rest } = telemetry.traces
  const values = Object.entries(headers).map(
    ([name, text]) => [name, present(`telemetry.traces.headers.${name}`, text)] as const,
  )
  return { ...rest, headers: () => Object.fromEntries(values.map(([name, value]) => [name, value()])) }
}

/** Where traces may go: as calls to platforms. */
export function checkTelemetry(resolved: Json, hostProblem: HostProblem | undefined, report: Report): void {
  const telemetry = isJsonObject(resolved) ? resolved.telemetry : undefined
  const traces = isJsonObject(telemetry) ? telemetry.traces : undefined
  if (!isJsonObject(traces)) return
  const place = ['telemetry', 'traces', 'endpoint']
  checkOutgoing({ url: traces.endpoint, place, what: 'traces', beside: traces }, hostProblem, report)
}
