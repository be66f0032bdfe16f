/**
 * Spans by OpenTelemetry's own packages, exported as OTLP over HTTP. The only file that knows them, and only loaded where
 * traces are on. Nothing is registered globally: nothing else in this process is traced.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Clock } from '../clock.ts'
import { platformTimeoutMs, traceStopMs } from '../limits.ts'
import type { Log } from '../log.ts'
import { addressRule } from '../platforms/address.ts'
import { guardedAgent } from '../platforms/guarded-agent.ts'
import { NotConnected } from '../platforms/not-connected.ts'
import type { Span, SpanAttributes, SpanOptions, Tracer } from '../tracing.ts'

export interface TraceSettings {
  /** Whole, path included: `https://collector.uni.example/v1/traces`. */
  readonly endpoint: string
  /** As they are now. */
  readonly headers: () => Readonly<Record<string, string>>
  /** Of traces that nobody else has decided on. 0 to 1. */
  readonly ratio: number
  readonly serviceName: string
  readonly serviceVersion: string
  readonly allowPrivateAddresses: boolean
}

export interface Traces {
  readonly tracer: Tracer
  /** Exports what is left, for a bounded time. */
  stop(): Promise<void>
}

/** Spans that wait for their export; more are dropped. */
const mostWaiting = 2_048
const batch = 512
const batchMs = 5_000
/** Of the log: a collector that is away is told of at most so often. */
const complainMs = 600_000

export function createTraces(
  settings: TraceSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Traces {
  const agent = guardedAgent(settings.endpoint.startsWith('https:') ? 'https:' : 'http:', {
    timeoutMs: platformTimeoutMs,
    mayConnect: addressRule(settings.allowPrivateAddresses),
  })
  const exporter = forgiving(
    new OTLPTraceExporter({
      url: settings.endpoint,
      headers: async () => ({ ...settings.headers() }),
      timeoutMillis: platformTimeoutMs,
      userAgent: 'scim-bridge',
      httpAgentOptions: () => agent,
    }),
    { clock, log },
  )
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName,
      'service.version': settings.serviceVersion,
    }),
    sampler: samplerOf(settings.ratio),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: mostWaiting,
        maxExportBatchSize: batch,
        scheduledDelayMillis: batchMs,
        exportTimeoutMillis: platformTimeoutMs,
      }),
    ],
  })
  return {
    tracer: createTracer(provider),
    async stop() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, traceStopMs)
      })
      await Promise.race([provider.shutdown().catch(() => undefined), late])
      clearTimeout(timer)
      agent.destroy()
    },
  }
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const

function createTracer(provider: TracerProvider): Tracer {
  const sdk = provider.getTracer('scim-bridge')
  const presentSpan = new AsyncLocalStorage<TracedSpan>()
  return {
    begin(name, { kind, attributes = {}, traceparent, links = [] }) {
      const others = links.flatMap((link) => contextOf(link) ?? []).map((context) => ({ context }))
      const options = { kind: kinds[kind], attributes: present(attributes), links: others }
      return new TracedSpan(kind, sdk.startSpan(name, options, above(traceparent, presentSpan.getStore())))
    },
    present: () => presentSpan.getStore(),
    within(span, work) {
      return span instanceof TracedSpan ? presentSpan.run(span, work) : work()
    },
  }
}

function above(traceparent: string | undefined, span: TracedSpan | undefined): Context {
  const context = traceparent === undefined ? undefined : contextOf(traceparent)
  if (context !== undefined) return trace.setSpanContext(ROOT_CONTEXT, context)
  return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span.sdk)
}

class TracedSpan implements Span {
  readonly kind: SpanOptions['kind']
  readonly sdk: SdkSpan
  constructor(kind: SpanOptions['kind'], sdk: SdkSpan) {
    this.kind = kind
    this.sdk = sdk
  }
  get traceId(): string {
    return this.sdk.spanContext().traceId
  }
  get isSampled(): boolean {
    return (this.sdk.spanContext().traceFlags & 1) === 1
  }
  get traceparent(): string {
    const { traceId, spanId } = this.sdk.spanContext()
    return `00-${traceId}-${spanId}-${this.isSampled ? '01' : '00'}`
  }
  rename(name: string): void {
    this.sdk.updateName(name)
  }
  set(attributes: SpanAttributes): void {
    this.sdk.setAttributes(present(attributes))
  }
  fail(what: string): void {
    this.sdk.setAttribute('error.type', what).setStatus({ code: SpanStatusCode.ERROR })
  }
  end(): void {
    this.sdk.end()
  }
}

function present(attributes: SpanAttributes): Record<string, string | number | boolean> {
  const written: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) written[name] = value
  return written
}

/** Undefined: no `traceparent` as W3C writes it, so the trace begins with us. Of later versions the first four parts count. */
function contextOf(traceparent: string): SpanContext | undefined {
  const match = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = match
  if (version === '00' && more !== undefined) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

/** What goes back to a request that is seen is seen, too: only such requests are kept for it. Else as the parent, or the ratio. */
function samplerOf(ratio: number): Sampler {
  const ordinary = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) })
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (links.length > 0) return { decision: SamplingDecision.RECORD_AND_SAMPLED }
      return ordinary.shouldSample(context, traceId, name, kind, attributes, links)
    },
    toString: () => `going back, or ${ordinary}`,
  }
}

/** An export that failed is lost and told of, now and then. It is nobody's error. */
function forgiving(exporter: SpanExporter, { clock, log }: { readonly clock: Clock; readonly log: Log }): SpanExporter {
  let lost = 0
  let toldAt: number | undefined
  return {
    export(spans, done) {
      exporter.export(spans, ({ code, error }) => {
        if (code !== 0) {
          lost += spans.length
          const now = clock.now()
          if (toldAt === undefined || now - toldAt >= complainMs) {
            log.warn({ spans: lost, reason: reasonOf(error) }, 'traces could not be exported and are lost')
            toldAt = now
            lost = 0
          }
        }
        done({ code: 0 })
      })
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}

/** Code, status, or a text of ours; never one of the collector. */
function reasonOf(error: Error | undefined): string {
  if (error instanceof NotConnected) return error.message
  if (error === undefined || !('code' in error)) return error?.name ?? 'failed'
  return typeof error.code === 'number' ? `status ${error.code}` : String(error.code)
}
