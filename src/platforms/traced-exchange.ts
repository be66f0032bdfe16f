import { inSpan, type Tracer } from '../tracing.ts'
import type { PlatformAnswer, PlatformRequest } from './client.ts'

/** Of one connection's calls. */
export interface TracedCalls {
  readonly tracer: Tracer
  readonly connection: string
  readonly pathWords: ReadonlySet<string>
  /** Whether the platform is told of the trace, by `traceparent`. */
  readonly tellsPlatform: boolean
}

/** Calls of a traced piece of work are spans of it: with the template of the path, as ids and names of people are in the path. */
export function tracedExchange<Call, Prepared extends { readonly headers: Readonly<Record<string, string>> }>(
  { tracer, connection, pathWords, tellsPlatform }: TracedCalls,
  host: string,
  exchange: (call: Call, request: PlatformRequest, prepared: Prepared) => Promise<PlatformAnswer>,
): typeof exchange {
  return (call, request, prepared) => {
    if (tracer.present() === undefined) return exchange(call, request, prepared)
    const template = templateOf(request, pathWords)
    const attributes = {
      'http.request.method': request.method,
      'url.template': template,
      'server.address': host,
      'scim_bridge.connection': connection,
    }
    return inSpan(tracer, `${request.method} ${template}`, { kind: 'client', attributes }, async (span) => {
      const { traceparent } = span
      const sent = tellsPlatform ? { ...prepared, headers: { ...prepared.headers, traceparent } } : prepared
      const answer = await exchange(call, request, sent)
      span.set({ 'http.response.status_code': answer.status })
      if (answer.status >= 400) span.fail(String(answer.status))
      return answer
    })
  }
}

/** `/users/{}/activity-status`. A segment that is no word of the platform is an id or a name, and none of a trace's business. */
export function templateOf(
  { path, suffix }: Pick<PlatformRequest, 'path' | 'suffix'>,
  pathWords: ReadonlySet<string>,
): string {
  return `/${path.map((segment) => (pathWords.has(segment) ? segment : '{}')).join('/')}${suffix ?? ''}`
}
