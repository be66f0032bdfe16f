import type { Account } from '../facts.ts'
import type { Call } from '../platforms/platform.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import type { Situation } from './find-account.ts'
import { mayBeOn } from './may-be-on.ts'

/** The account of somebody who leaves is off already, by another hand than ours: off for some days is not off for good. */
export async function keepOff(call: Call, { connection, operation, link }: Situation, account: Account): Promise<void> {
  const { platform, mapping } = connection
  const wasToBeOff = operation.before !== undefined && !isActiveDocument(parseDocument(operation.before))
  // Who was to be off before has been asked about then, unless that was not finished.
  const isUnfinished = operation.attempts > 0 || mayBeOn(connection, link)
  if (!wasToBeOff || isUnfinished) await platform.keepOff?.(call, account, mapping.lifecycle.deactivate)
}
