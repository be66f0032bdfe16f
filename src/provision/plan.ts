import { PlatformError } from '../errors.ts'
import type { AccountId, Json } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { compare, createAttributes, protectedBecause, toPlatform } from '../mapping/evaluate.ts'
import type { Call } from '../platforms/platform.ts'
import type { ProvisionedConnection } from './connection.ts'
import { findAccount } from './find-account.ts'

/** What a push of this user would do, had it come now. */
export interface Plan {
  readonly action: 'create' | 'update' | 'nothing' | 'refuse'
  readonly accountId: AccountId | undefined
  /** Platform attribute → value that would be written. */
  readonly changes: ReadonlyMap<string, Json>
  /** Attributes that would stay as they are, though they differ. */
  readonly drift: readonly string[]
  /** Why it would be refused. */
  readonly reason: string | undefined
}

/** Reads the platform and writes nothing, neither there nor in the store. */
export async function planUser(
  call: Call,
  connection: ProvisionedConnection,
  document: JsonObject,
  isLinkedElsewhere: (id: AccountId) => Promise<boolean>,
): Promise<Plan> {
  const { mapping, facts } = connection
  const nothing = { accountId: undefined, changes: new Map<string, Json>(), drift: [] }
  const wanted = toPlatform(mapping, facts, document, { activeDefault: true })
  const [refusal] = wanted.refusals
  if (refusal !== undefined) return { ...nothing, action: 'refuse', reason: refusal.message }
  try {
    const account = await findAccount(call, { connection, isLinkedElsewhere }, wanted.attributes)
    if (account === undefined) {
      const [missing] = wanted.createRefusals
      if (missing !== undefined) return { ...nothing, action: 'refuse', reason: missing.message }
      return { ...nothing, action: 'create', changes: createAttributes(mapping, wanted), reason: undefined }
    }
    const protection = account.protectedBecause ?? protectedBecause(mapping, account.attributes)
    const { changes, drift, refusals } = compare(mapping, facts, wanted, account.attributes)
    const reason = protection === undefined ? refusals[0]?.message : `the account is protected (${protection})`
    const action = reason !== undefined ? 'refuse' : changes.size === 0 ? 'nothing' : 'update'
    return { action, accountId: account.id, changes, drift, reason }
  } catch (error) {
    if (!(error instanceof PlatformError) || error.rule.retry !== 'stop') throw error
    return { ...nothing, action: 'refuse', reason: error.message }
  }
}
