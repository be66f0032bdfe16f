import type { Account } from '../facts.ts'
import type { Call } from '../platforms/platform.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import type { Situation } from './find-account.ts'

/** The account of somebody who leaves is off already, by another hand than ours: off for some days is not off for good. */
export async function keepOff(call: Call, { connection, operation }: Situation, account: Account): Promise<void> {
  const { platform, mapping } = connection
  // Who was to be off before has been asked about then.
  const isLeaving = operation.before === undefined || isActiveDocument(parseDocument(operation.before))
  if (isLeaving) await platform.keepOff?.(call, account, mapping.lifecycle.deactivate)
}
