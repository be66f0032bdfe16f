import type { Operation } from '../store/store.ts'
import { inSpan } from '../tracing.ts'
import type { Settled } from './commit.ts'
import type { World } from './connection.ts'

/** An attempt as a span: of the request that waits for it, or of its own, with a link to the request that asked. */
export async function inAttemptSpan(
  { tracer, store }: Pick<World, 'tracer' | 'store'>,
  { connection, id, kind, about, attempts, requestId }: Operation,
  work: () => Promise<Settled>,
): Promise<Settled> {
  if (tracer === undefined) return work()
  const asked = await store.requestSpan(connection, requestId)
  const present = tracer.present()
  const links = asked === undefined || asked === present?.traceparent ? [] : [asked]
  const attributes = {
    'scim_bridge.connection': connection,
    'scim_bridge.request_id': requestId,
    'scim_bridge.operation': id,
    'scim_bridge.operation.kind': kind,
    'scim_bridge.operation.about': about,
    'scim_bridge.attempt': attempts + 1,
  }
  const spanKind = present === undefined ? 'consumer' : 'internal'
  return inSpan(tracer, `attempt ${kind}`, { kind: spanKind, attributes, links }, async (span) => {
    const settled = await work()
    span.set({ 'scim_bridge.settled': settled.kind })
    if (settled.kind !== 'applied') span.fail(settled.error.kind)
    return settled
  })
}
