import { isActive } from '../mapping/evaluate.ts'
import type { Link } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'

/** Nobody has read the account as off. */
export function mayBeOn(
  { mapping }: Pick<ProvisionedConnection, 'mapping'>,
  { accountId, unlinkedAccountId, applied }: Link,
): boolean {
  if (applied !== undefined) return isActive(mapping, new Map(Object.entries(applied)))
  return accountId !== undefined || unlinkedAccountId !== undefined
}
