import type { Clock } from '../clock.ts'
import { type Log, nameTraces } from '../log.ts'
import type { TraceSettings, Traces } from './otlp.ts'

/** Undefined where nothing is traced: then the packages for it are not even loaded. */
export async function openTraces(
  settings: TraceSettings | undefined,
  surroundings: { readonly clock: Clock; readonly log: Log },
): Promise<Traces | undefined> {
  if (settings === undefined) return undefined
  const { createTraces } = await import('./otlp.ts')
  const traces = createTraces(settings, surroundings)
  nameTraces(surroundings.log, () => traces.tracer.present()?.traceId)
  return traces
}
