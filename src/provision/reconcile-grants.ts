import { PlatformError } from '../errors.ts'
import type { Account, AccountId } from '../facts.ts'
import type { Call } from '../platforms/platform.ts'
import type { Store } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { type GrantRules, grantRules, heldGrants, planGrants, wantedGrants } from './grants.ts'

/** In `drift` and in findings, beside the names of attributes. */
export const grantsAttribute = 'groups'

/**
 * The accounts whose managed grants are not what the memberships of their users ask for. One call for each account that
 * has been given any, none for the others: lists of accounts do not tell grants.
 */
export async function accountsWithOtherGrants(
  call: Call,
  connection: ProvisionedConnection,
  store: Store,
  accounts: readonly Account[],
): Promise<ReadonlySet<AccountId>> {
  const { mapping } = connection
  const differing = new Set<AccountId>()
  if (mapping.groups.as === 'none') return differing
  const rules = grantRules(connection)
  for (const { id } of accounts) {
    const state = await stateOf(connection, store, rules, id)
    if (state === undefined) continue
    try {
      // With `manage: listed`, memberships given by hand in our own groups go with the next change of the user.
      const held = await heldGrants(call, connection, id, state.ledger)
      const { give, take } = planGrants(rules, { ...state, ofGroups: [], held })
      if (give.length > 0 || take.length > 0) differing.add(id)
    } catch (error) {
      // Gone or refused by now: that is for the account itself to show.
      if (!(error instanceof PlatformError) || error.rule.retry !== 'stop') throw error
    }
  }
  return differing
}

/** Undefined: nothing is managed of this account, or it is on its way to something else. */
async function stateOf({ name }: ProvisionedConnection, store: Store, rules: GrantRules, accountId: AccountId) {
  const link = await store.findLinkByAccount(name, accountId)
  if (link?.state !== 'live') return undefined
  const memberships = (await store.membershipsOf(name, [link.resourceId])).get(link.resourceId) ?? []
  const wanted = wantedGrants(rules, memberships)
  if (wanted.length === 0 && link.grants.length === 0) return undefined
  const operation = await store.getOperation(name, link.resourceId)
  if (operation !== undefined && operation.state !== 'failed') return undefined
  const resource = await store.getResource(name, 'User', link.resourceId)
  // What somebody who is off holds is settled by their return.
  if (resource === undefined || !isActiveDocument(parseDocument(resource.json))) return undefined
  return { wanted, ledger: link.grants }
}
