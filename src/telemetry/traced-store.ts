import type { Clock } from '../clock.ts'
import type { Store, StoreWriter } from '../store/store.ts'
import { inSpan, type Span, type Tracer } from '../tracing.ts'

/**
 * The same store; transactions within a traced piece of work are spans of it, and what a request asks for is kept with the
 * request's span, so that later attempts go back to it. Other work of the store (claims, clean-up) makes no traces of its own.
 */
export function tracedStore<Traced extends Store>(
  store: Traced,
  system: 'sqlite' | 'postgresql',
  { tracer, clock }: { readonly tracer: Tracer; readonly clock: Clock },
): Traced {
  return {
    ...store,
    transaction<Result>(work: (write: StoreWriter) => Promise<Result>): Promise<Result> {
      const above = tracer.present()
      if (above === undefined) return store.transaction(work)
      const options = { kind: 'internal', attributes: { 'db.system.name': system } } as const
      return inSpan(tracer, 'store transaction', options, (span) =>
        // Work that waited runs in the context of whoever's work was before: it is put into its own.
        store.transaction((write) => tracer.within(span, () => work(noting(write, above, clock)))),
      )
    },
  }
}

function noting(write: StoreWriter, asking: Span, clock: Clock): StoreWriter {
  if (asking.kind !== 'server' || !asking.isSampled) return write
  const keep = (connection: string, requestId: string) =>
    write.keepRequestSpan(connection, requestId, asking.traceparent, new Date(clock.now()).toISOString())
  return {
    ...write,
    async putOperation(connection, operation) {
      await keep(connection, operation.requestId)
      return write.putOperation(connection, operation)
    },
    async putGrantOperations(connection, resourceIds, operation) {
      await keep(connection, operation.requestId)
      return write.putGrantOperations(connection, resourceIds, operation)
    },
  }
}
