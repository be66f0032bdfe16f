import { tlsProblem } from './postgres-tls.ts'
import { StoreUnavailable } from './store.ts'

/**
 * Conditions after which PostgreSQL may answer again (https://www.postgresql.org/docs/current/errcodes-appendix.html): classes
 * 08 connection, 25 wrong transaction state (a standby is read-only), 40 rolled back, 53 out of resources, 55 not in the state
 * for it, 57 an operator's or a time limit's doing, 58 system error, XX internal error.
 */
const passingClasses: ReadonlySet<string> = new Set(['08', '25', '40', '53', '55', '57', '58', 'XX'])
/** Log-in refused, no such database: an operator mends it while the bridge runs. */
const passingStates: ReadonlySet<string> = new Set(['28000', '28P01', '3D000'])
/** Of sockets and names. */
const passingSystemErrors: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
])
/** The driver has no codes for these. */
const passingTexts =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded)/

/** SQLSTATE, when the error came from the server. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}

/** A unique index, not a primary key, as PostgreSQL names the keys of our migrations. */
export function isTakenThere(error: unknown): boolean {
  if (sqlState(error) !== '23505' || !(error instanceof Error)) return false
  return 'constraint' in error && typeof error.constraint === 'string' && !error.constraint.endsWith('_pkey')
}

/** `StoreUnavailable` for what passes or an operator can mend; undefined for everything else. */
export function asPostgresFailure(error: unknown): StoreUnavailable | undefined {
  const reason = passingReason(error)
  if (reason === undefined) return undefined
  return new StoreUnavailable(`the store is unavailable: ${reason}`, { cause: error })
}

function passingReason(error: unknown): string | undefined {
  const state = sqlState(error)
  if (state !== undefined) {
    return passingClasses.has(state.slice(0, 2)) || passingStates.has(state) ? `PostgreSQL ${state}` : undefined
  }
  if (!(error instanceof Error)) return undefined
  // Several addresses of one name, none of which answered.
  if (error instanceof AggregateError) return error.errors.map(passingReason).find((reason) => reason !== undefined)
  if ('code' in error && passingSystemErrors.has(String(error.code))) return `PostgreSQL ${String(error.code)}`
  if (passingTexts.test(error.message)) return 'PostgreSQL does not answer'
  return tlsProblem(error)
}
