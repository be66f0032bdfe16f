/** Invariant 6, seen from outside: only managed grants are taken, and what the ledger says is what is held. */
import assert from 'node:assert/strict'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { type InnerAccount, innerAccounts, isSamePerson } from './accounts.ts'
import { grantOfEntry, isListWritten, namedGrants } from './grant-view.ts'
import type { SeenLink, StoreView } from './store-view.ts'
import type { Memory, Watch } from './watch.ts'

interface GrantLook {
  readonly platform: DemoPlatform
  readonly memory: Memory
  readonly store: StoreView
  readonly accounts: ReadonlyMap<string, InnerAccount>
  isUnfinished(resourceId: string): boolean
}

/** Account → the grants that the store says we gave, or are about to. */
export function oursByAccount(
  sandbox: Sandbox,
  platform: DemoPlatform,
  store: StoreView,
): ReadonlyMap<string, ReadonlySet<string>> {
  const ours = new Map<string, Set<string>>()
  const documents = new Map(store.resources.map(({ id, document }) => [id, document]))
  for (const { resourceId, accountId: linked, unlinkedAccountId, ledger } of store.links) {
    // What an operator has let go of may come back, with what was given to it.
    const accountId = linked ?? unlinkedAccountId
    const document = documents.get(resourceId)
    // Made by a create whose answer was lost, and found: it is linked when the attempt ends.
    const found = () => innerAccounts(sandbox, platform).filter((account) => isSamePerson(document ?? {}, account))
    const ids = accountId !== undefined ? [accountId] : ledger.length > 0 ? found().map(({ id }) => id) : []
    for (const id of ids) {
      const grants = ours.get(id) ?? new Set<string>()
      for (const entry of ledger) {
        const grant = grantOfEntry(sandbox, platform, entry, store)
        if (entry.origin !== 'found' && grant !== undefined) grants.add(grant)
      }
      ours.set(id, grants)
    }
  }
  return ours
}

/** What was given by hand is nobody's to take; everything else moves only after the ledger has said so. */
export function onlyManagedGrants({ world, options }: Watch, { platform, memory, store, accounts }: GrantLook): void {
  const ours = oursByAccount(world.sandbox, platform, store)
  const isManaged = options.isManagedGrant ?? (() => true)
  for (const [id, { grants }] of accounts) {
    const before = memory.accounts.get(id)?.grants ?? []
    const what = `invariant 6: ${platform} account ${id}`
    for (const grant of before.filter((one) => !grants.includes(one))) {
      // Read before, and written back without it: the platform knows no smaller change.
      if (isListWritten(platform) && memory.givenMeanwhile.get(id)?.delete(grant) === true) continue
      assert.ok(isManaged(platform, grant), `${what} lost ${grant}, which is not managed`)
      assert.ok(memory.ours.get(id)?.has(grant), `${what} lost ${grant}, which was not given by the bridge`)
      assert.ok(!memory.givenByHand.get(id)?.has(grant), `${what} lost ${grant}, which was given by hand`)
    }
    for (const grant of grants) memory.takenByHand.get(id)?.delete(grant)
    for (const grant of grants.filter((one) => !before.includes(one))) {
      assert.ok(isManaged(platform, grant), `${what} gained ${grant}, which is not managed`)
      assert.ok(ours.get(id)?.has(grant), `${what} gained ${grant}, and the ledger does not know`)
    }
  }
  memory.ours = ours
}

/** When nothing is unfinished the ledger, the memberships and the account say the same. */
export function grantsAreAsAsked(watch: Watch, look: GrantLook): void {
  const { platform, memory, store, accounts, isUnfinished } = look
  const documents = new Map(store.resources.map(({ id, document }) => [id, document]))
  for (const link of store.links) {
    const account = accounts.get(link.accountId ?? '')
    const document = documents.get(link.resourceId)
    if (link.state !== 'live' || account === undefined || document === undefined) continue
    if (isUnfinished(link.resourceId) || link.drift.includes('groups')) continue
    const what = `invariant 6: ${platform} account ${account.id}`
    const known = new Set<string>()
    for (const entry of link.ledger) {
      const grant = grantOfEntry(watch.world.sandbox, platform, entry, store)
      assert.ok(entry.origin !== 'giving', `${what}: ${entry.key} is being given, and nothing is unfinished`)
      if (grant === undefined) continue
      known.add(grant)
      const isTaken = memory.takenByHand.get(account.id)?.has(grant) === true
      assert.ok(
        isTaken || account.grants.includes(grant),
        `${what} does not hold ${grant}, the ledger says that it does`,
      )
    }
    const wanted = wantedBy(platform, store, link)
    for (const grant of known) assert.ok(wanted.has(grant), `${what}: no group asks for ${grant} any more`)
    // Nothing new is given to somebody who is off.
    const mayLack = !account.isOn || document.active === false || memory.switchedByHand.has(account.id)
    if (!mayLack)
      assert.deepEqual(
        [...wanted].filter((grant) => !known.has(grant)),
        [],
        `${what} lacks grants`,
      )
  }
}

function wantedBy(platform: DemoPlatform, store: StoreView, { resourceId }: SeenLink): ReadonlySet<string> {
  const named = namedGrants[platform]
  const groups = store.groups.filter(({ members }) => members.includes(resourceId))
  return new Set(
    groups.flatMap(({ name, platformGroup }) =>
      named !== undefined ? (named.get(name) ?? []) : platformGroup === undefined ? [] : [platformGroup],
    ),
  )
}
