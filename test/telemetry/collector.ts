/** A collector on a socket: takes OTLP over HTTP as JSON, and tells spans by what they are. */
import { type ScriptedServer, scriptedServer } from '../platforms/scripted-server.ts'

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
}

export interface Collector {
  readonly server: ScriptedServer
  readonly endpoint: string
  readonly spans: readonly ReceivedSpan[]
  /** Of the last export. */
  readonly resource: Readonly<Record<string, unknown>>
  /** Everything that ever came, as it came. */
  text(): string
  answerWith(status: number): void
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const

// biome-ignore lint/suspicious/noExplicitAny: OTLP as it comes; what is wrong in it fails the tests.
type Otlp = any

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  let status = 200
  let resource: Readonly<Record<string, unknown>> = {}
  const server = await scriptedServer(({ text }) => {
    if (status !== 200) return { status, json: { message: 'a text of the collector' } }
    const { resourceSpans }: Otlp = JSON.parse(text)
    for (const ofResource of resourceSpans) {
      resource = attributesOf(ofResource.resource.attributes)
      for (const { spans: found } of ofResource.scopeSpans) spans.push(...found.map(toSpan))
    }
    return { json: {} }
  })
  return {
    server,
    endpoint: `${server.baseUrl}/v1/traces`,
    spans,
    get resource() {
      return resource
    },
    text: () => server.requests.map(({ text }) => text).join('\n'),
    answerWith: (next) => {
      status = next
    },
  }
}

function toSpan(span: Otlp): ReceivedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: kinds[span.kind as number] as ReceivedSpan['kind'],
    isError: span.status?.code === 2,
    attributes: attributesOf(span.attributes),
    links: (span.links ?? []).map(({ traceId, spanId }: Otlp) => ({ traceId, spanId })),
  }
}

function attributesOf(attributes: Otlp): Readonly<Record<string, unknown>> {
  const values = attributes.map(({ key, value }: Otlp) => [key, value.stringValue ?? value.intValue ?? value.boolValue])
  return Object.fromEntries(values)
}
