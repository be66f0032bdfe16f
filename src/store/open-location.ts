/** Whatever the store is made of: the same for whoever uses it. */
import { existsSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { AuditReads } from './audit.ts'
import { openBeside, type StoreBeside } from './beside.ts'
import type { ConsoleReads } from './console-store.ts'
import { type Credentials, credentialFile, openCredentials } from './credentials.ts'
import { StoreInUse, StoreRefused } from './failures.ts'
import type { StoreLocation } from './location.ts'
import { type Eraser, openStore, type RequestKeeper, type StoreOptions } from './open.ts'
import { openAudit } from './open-audit.ts'
import type { Sealer } from './sealing.ts'
import type { SessionKeeper } from './session-store.ts'
import type { Store } from './store.ts'

// PostgreSQL's driver is loaded where it is used: it is 50 files more to start with.

export type AnyStore = Store & AuditReads & Eraser & ConsoleReads & RequestKeeper & SessionKeeper

interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  readonly sealer: Sealer
}

/** For the bridge itself. `onTakenOver`: see `StoreOptions`. Throws `StoreRefused` or `NewerSchema`. */
export async function openForBridge(
  location: StoreLocation,
  surroundings: Surroundings & Pick<StoreOptions, 'onTakenOver'>,
): Promise<AnyStore> {
  if (location.kind === 'sqlite') return openStore(location, surroundings)
  const { openPostgres } = await import('./open-postgres.ts')
  return openPostgres(location, { ...surroundings, isBridge: true })
}

/**
 * For a command that does a bridge's work in place of one. Throws `StoreInUse` while a bridge has the store, else `StoreRefused`
 * or `NewerSchema`.
 */
export async function openInsteadOfBridge(location: StoreLocation, surroundings: Surroundings): Promise<AnyStore> {
  if (location.kind === 'sqlite') return openStore(location, surroundings)
  const { openPostgres } = await import('./open-postgres.ts')
  const { openPostgresBeside } = await import('./postgres-beside.ts')
  const beside = await openPostgresBeside(location, surroundings)
  try {
    if (await beside.isHeld()) throw new StoreInUse('a bridge is running on the store: stop it first')
  } finally {
    await beside.close()
  }
  return openPostgres(location, { ...surroundings, isBridge: true })
}

/** For a command that changes something by itself: SQLite's bridge has to be stopped. Throws when there is no store yet. */
export async function openExisting(location: StoreLocation, surroundings: Surroundings): Promise<AnyStore> {
  if (location.kind === 'postgres') {
    const { openPostgres } = await import('./open-postgres.ts')
    return openPostgres(location, surroundings)
  }
  // Opening would make an empty one.
  if (!existsSync(location.file)) throw new StoreRefused(`${location.file} does not exist: there is no store yet`)
  return openStore(location, surroundings)
}

/** For a command that asks the bridge that has the store. Throws `StoreRefused`. */
export async function openBesideBridge(location: StoreLocation, surroundings: Surroundings): Promise<StoreBeside> {
  if (location.kind === 'sqlite') return openBeside(location, surroundings.clock, surroundings.sealer)
  const { openPostgresBeside } = await import('./postgres-beside.ts')
  return openPostgresBeside(location, surroundings)
}

/** For reading the audit, also while bridges use the store. Throws `StoreRefused`. */
export async function openAuditOf(
  location: StoreLocation,
  surroundings: Pick<Surroundings, 'clock' | 'log'>,
): Promise<AuditReads & { close(): void | Promise<void> }> {
  if (location.kind === 'sqlite') return openAudit(location)
  const { openPostgresBeside } = await import('./postgres-beside.ts')
  return openPostgresBeside(location, surroundings)
}

/** Beside SQLite's file a small one of their own, in PostgreSQL's database. Throws `StoreRefused` or `NewerSchema`. */
export async function openCredentialsOf(
  location: StoreLocation,
  options: { readonly log: Log; readonly now: number },
): Promise<Credentials> {
  if (location.kind === 'sqlite') return openCredentials(credentialFile(location.file), options)
  const { openPostgresCredentials } = await import('./postgres-credentials.ts')
  return openPostgresCredentials(location, options)
}
