import type { Store, StoreWriter } from '../../src/store/store.ts'

/**
 * Does what is to be done while a transaction that has done its `work` stays open: until `meanwhile` calls `end`, or has ended,
 * however it ends. A store that is closed would wait for it for ever.
 */
export async function whileOpen(
  store: Pick<Store, 'transaction'>,
  work: (write: StoreWriter) => Promise<unknown>,
  meanwhile: (end: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { promise: mayEnd, resolve: letGo } = Promise.withResolvers<void>()
  const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>()
  const ended = store.transaction(async (write) => {
    await work(write)
    begin()
    await mayEnd
  })
  const end = () => {
    letGo()
    return ended
  }
  await Promise.race([hasBegun, ended])
  try {
    await meanwhile(end)
  } finally {
    await end()
  }
}
