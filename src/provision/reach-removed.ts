/** `lifecycle.delete: delete`: the account is taken away, and off in any case. */
import { type ErrorKind, PlatformError } from '../errors.ts'
import type { Account } from '../facts.ts'
import { isActive } from '../mapping/evaluate.ts'
import { isRefusal } from '../platforms/leaving.ts'
import type { Call } from '../platforms/platform.ts'
import type { ProvisionedConnection } from './connection.ts'

/** The platform was not there to be asked for anything else. */
const away: ReadonlySet<ErrorKind> = new Set(['unreachable', 'busy'])

/**
 * What is left; undefined when the account is gone. Some platforms fail at the deletion of somebody whom they would switch off without
 * ado, and for ever: the deletion is tried again, and meanwhile nobody is on. Where it is refused for good, off is all that can be had.
 */
export async function removeAccount(
  call: Call,
  { platform, mapping }: ProvisionedConnection,
  account: Account,
): Promise<Account | undefined> {
  try {
    return await platform.remove?.(call, account.id)
  } catch (error) {
    if (!(error instanceof PlatformError) || away.has(error.kind)) throw error
    const off = await switchedOff().catch(() => undefined)
    if (off === undefined || !isRefusal(error)) throw error
    return off
  }

  async function switchedOff(): Promise<Account | undefined> {
    // It may have been done, and the answer lost.
    const now = await platform.read(call, account.id)
    if (now === undefined || !isActive(mapping, now.attributes)) return now
    const after = await platform.update(call, now, mapping.lifecycle.deactivate)
    return isActive(mapping, after.attributes) ? undefined : after
  }
}
