/**
 * Traces as all layers know them: spans are begun, hang below one another, and end. What becomes of them is decided in
 * `telemetry/`; without `telemetry.traces` in bridge.yaml there is no tracer, and nobody asks for one twice.
 */
import { PlatformError } from './errors.ts'

/** Names, numbers and classes; never a value of a person, never a secret. Undefined ones are left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface Span {
  readonly kind: SpanOptions['kind']
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** As others are told of it: `traceparent` of W3C Trace Context. */
  readonly traceparent: string
  /** Whether anybody will see it. */
  readonly isSampled: boolean
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** `what` is a class or a status, never a text. */
  fail(what: string): void
  end(): void
}

export interface SpanOptions {
  /** `server`: a request to us. `client`: one of ours. `consumer`: what was asked earlier. */
  readonly kind: 'server' | 'client' | 'consumer' | 'internal'
  readonly attributes?: SpanAttributes
  /** Somebody else's span that this one is below; else it is below the present one, if any. */
  readonly traceparent?: string | undefined
  /** Spans that it goes back to without being below them, as `traceparent`. */
  readonly links?: readonly string[]
}

export interface Tracer {
  begin(name: string, options: SpanOptions): Span
  /** What the present work is below of. */
  present(): Span | undefined
  within<Result>(span: Span, work: () => Result): Result
}

/** A span of just this work. It fails with the class of what is thrown. */
export async function inSpan<Result>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = tracer.begin(name, options)
  try {
    return await tracer.within(span, () => work(span))
  } catch (error) {
    span.fail(error instanceof PlatformError ? error.kind : error instanceof Error ? error.name : 'failed')
    throw error
  } finally {
    span.end()
  }
}
