/**
 * A copy that has begun on PostgreSQL and is not whole: a bridge on it would know people without their accounts, and nothing of what
 * is still to be done for them. The mark is a table of its own, which is there from before the first row to after the last.
 */
import { StoreRefused } from './failures.ts'
import type { PostgresSession } from './postgres.ts'

export async function markHalfCopied(session: PostgresSession): Promise<void> {
  await session.query('create table if not exists half_copied (begun_at timestamptz not null default now())')
}

export async function unmarkHalfCopied(session: PostgresSession): Promise<void> {
  await session.query('drop table if exists half_copied')
}

/** Throws `StoreRefused` where `store copy` has not come to its end. */
export async function refuseHalfCopied(session: PostgresSession, place: string): Promise<void> {
  const { rows } = await session.query<{ is_there: boolean }>(
    "select to_regclass('half_copied') is not null as is_there",
  )
  if (rows[0]?.is_there !== true) return
  throw new StoreRefused(
    `${place} holds a store that is copied in part only: run scim-bridge store copy again, to its end`,
  )
}
