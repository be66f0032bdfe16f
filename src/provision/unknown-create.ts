import type { JsonObject } from '../json.ts'
import type { Link, Operation } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { isFoundAlike } from './reconcile-keys.ts'

/** Told with 429 to whoever asks for it: the change is not kept, and has to be asked for again. */
export const unknownCreateText =
  'Whether the account of this user has been made is not known yet, and it could not be found by the new values; push the change again later.'

/**
 * Whether an account that may have been made, and whose id nobody knows, would not be found any more: it is searched by what
 * the user's `match` says, and would stay on as nobody's. One that was put aside is not waited for: what was wrong may be
 * just these values, and it has been searched by them.
 */
export function losesUnknownCreate(
  connection: ProvisionedConnection,
  link: Link | undefined,
  operation: Operation,
  change: { readonly from: JsonObject; readonly to: JsonObject },
): boolean {
  if (operation.state === 'failed' || link?.accountId !== undefined) return false
  const isUnderWay = operation.kind === 'create' && operation.state === 'running'
  if (operation.unknownSince === undefined && !isUnderWay) return false
  return !isFoundAlike(connection, change.from, change.to)
}
