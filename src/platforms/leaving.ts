import { type ErrorKind, PlatformError } from '../errors.ts'

const refusalKinds: ReadonlySet<ErrorKind> = new Set(['refused', 'immutable', 'conflict'])

/**
 * Whether an edit was refused for good. Somebody who leaves is switched off all the same: what was refused stays as it
 * is and shows as drift.
 */
export function isRefusal(error: unknown): error is PlatformError {
  return error instanceof PlatformError && refusalKinds.has(error.kind)
}
