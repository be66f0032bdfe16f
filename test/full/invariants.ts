/** The invariants of the design as one function: over the store, the simulators' accounts and call logs, and the audit. */
import assert from 'node:assert/strict'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject } from '../../src/json.ts'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'
import { type InnerAccount, innerAccounts, isSamePerson } from './accounts.ts'
import { grantsAreAsAsked, onlyManagedGrants } from './grant-invariants.ts'
import { type StoreView, viewStore } from './store-view.ts'
import type { Memory, Watch } from './watch.ts'

/** One look at one connection. */
interface Look {
  readonly platform: DemoPlatform
  readonly memory: Memory
  readonly store: StoreView
  readonly accounts: ReadonlyMap<string, InnerAccount>
  /** Resources that the account belongs to, or may be about to. */
  tiesOf(account: InnerAccount): readonly string[]
  /** Nothing but a hand has changed the account since. */
  isByHand(account: InnerAccount): boolean
  isUnfinished(resourceId: string): boolean
  /** The account may differ from what SCIM says: a change of memberships alone is no reason. */
  isAccountUnfinished(resourceId: string): boolean
}

/** Called after every step. Fails with the number of the invariant that is broken. */
export function assertInvariants(watch: Watch): void {
  for (const platform of watch.platforms) {
    const look = lookAt(watch, platform)
    oneLiveAccount(look)
    leaversStayOff(look)
    if (watch.options.mode !== 'deferred') confirmedIsTrue(look)
    nothingComesBackByItself(look)
    onlyOursAreWritten(look)
    onlyManagedGrants(watch, look)
    grantsAreAsAsked(watch, look)
    inTheOrderAccepted(look)
    everyWriteIsAudited(watch, look)
    remember(look)
  }
  nothingSecretIsWritten(watch)
}

function lookAt(watch: Watch, platform: DemoPlatform): Look {
  const memory = watch.memoryOf(platform)
  const store = viewStore(watch.world.directory, platform, memory.lastAudit)
  const accounts = new Map(innerAccounts(watch.world.sandbox, platform).map((account) => [account.id, account]))
  const documents = new Map(store.resources.map(({ id, document }) => [id, document]))
  const unfinished = new Set(store.operations.map(({ resourceId }) => resourceId))
  const ofAccounts = store.operations.filter(({ about }) => about !== 'grants')
  const unfinishedAccounts = new Set(ofAccounts.map(({ resourceId }) => resourceId))
  return {
    platform,
    memory,
    store,
    accounts,
    isUnfinished: (resourceId) => unfinished.has(resourceId),
    isAccountUnfinished: (resourceId) => unfinishedAccounts.has(resourceId),
    isByHand: (account) => memory.byHand.get(account.id) === account.textBesidesGrants,
    tiesOf: (account) => [
      ...store.links.filter((link) => link.accountId === account.id).map((link) => link.resourceId),
      ...[...unfinished].filter((id) => isSamePerson(documents.get(id) ?? {}, account)),
    ],
  }
}

function oneLiveAccount({ platform, memory, accounts }: Look): void {
  const holders = new Map<string, string>()
  for (const account of accounts.values()) {
    if (!account.isOn || account.isService || memory.madeByHand.has(account.id)) continue
    for (const key of [`email ${account.email}`, `key ${account.ssoId}`]) {
      if (key === 'email ' || key === 'key ') continue
      const other = holders.get(key)
      assert.equal(other, undefined, `invariant 1: ${platform} has two live accounts with ${key}`)
      holders.set(key, account.id)
    }
  }
}

function leaversStayOff(look: Look): void {
  const { platform, memory, store, accounts, tiesOf, isByHand, isAccountUnfinished, isUnfinished } = look
  for (const { id, isDeprovisioning, state } of store.operations) {
    assert.ok(!(isDeprovisioning && state === 'failed'), `invariant 2: ${platform} gave up deactivation ${id}`)
  }
  // Also what an operator has let go of is the account of whoever came again.
  const present = store.links.filter(({ state }) => state !== 'tombstone')
  const held = new Set(present.flatMap(({ accountId, unlinkedAccountId }) => [accountId, unlinkedAccountId]))
  const leavers = new Set(store.resources.filter(({ document }) => document.active === false).map(({ id }) => id))
  for (const link of store.links) {
    const account = accounts.get(link.accountId ?? '')
    if (account === undefined || !account.isOn || isByHand(account)) continue
    const meanwhile = memory.switchedMeanwhile.get(account.id)
    // Read before the hand came, and written after it: it is the next operation's to see.
    if (meanwhile !== undefined && tiesOf(account).every((id) => (memory.newestOperation.get(id) ?? 0) <= meanwhile))
      continue
    // A change of memberships alone switches off, too, where it finds the account on; nobody was promised that.
    if (memory.onByHand.has(account.id) && tiesOf(account).some(isUnfinished)) continue
    // Also of somebody who has come again and is about to get the account back.
    if (tiesOf(account).some(isAccountUnfinished)) continue
    const hasLeft = link.state === 'tombstone' ? !held.has(link.accountId) : leavers.has(link.resourceId)
    assert.ok(
      !hasLeft,
      `invariant 2: account ${account.id} of a leaver is on at ${platform}, and nothing is unfinished`,
    )
  }
}

function confirmedIsTrue({ platform, memory, store, accounts, isByHand, isAccountUnfinished }: Look): void {
  const links = new Map(store.links.map((link) => [link.resourceId, link]))
  for (const { id, isVisible, document } of store.resources) {
    if (!isVisible || isAccountUnfinished(id)) continue
    const link = links.get(id)
    assert.ok(link !== undefined && link.state === 'live', `invariant 3: ${platform} user ${id} has no live link`)
    const isNobodys = link.unlinkedAccountId !== undefined || memory.removedByHand.has(link.accountId ?? '')
    if (document.active === false || isNobodys) continue
    const account = accounts.get(link.accountId ?? '')
    assert.ok(account !== undefined, `invariant 3: ${platform} user ${id} has no account, and nothing is unfinished`)
    if (isByHand(account) || link.drift.length > 0) continue
    assert.ok(account.isOn, `invariant 3: ${platform} account ${account.id} is off, SCIM says on`)
    const name = isJsonObject(document.name) ? document.name.familyName : undefined
    if (name !== undefined) assert.equal(account.familyName, name, `invariant 3: ${platform} account ${account.id}`)
    if (account.title !== undefined && document.title !== undefined) {
      assert.equal(account.title, document.title, `invariant 3: ${platform} account ${account.id}`)
    }
  }
}

function nothingComesBackByItself({ platform, memory, store, accounts, tiesOf, isByHand }: Look): void {
  for (const { id, event, resourceId, operationId, detail } of store.audit) {
    if (event === 'asked' && detail.active === true) memory.activating.add(operationId)
    if (event === 'calling' && memory.activating.has(operationId)) memory.switchingOn.set(resourceId, id)
  }
  for (const account of accounts.values()) {
    if (!account.isOn || memory.accounts.get(account.id)?.isOn !== false || isByHand(account)) continue
    const since = memory.lastOn.get(account.id) ?? 0
    const ties = tiesOf(account)
    const isAskedFor = store.audit.some(
      ({ id, event, resourceId, detail }) =>
        event === 'asked' && detail.active === true && id > since && ties.includes(resourceId),
    )
    const wasInWork = ties.some((id) => (memory.switchingOn.get(id) ?? 0) > since)
    assert.ok(
      isAskedFor || wasInWork || ties.some((id) => memory.mayActivate.has(id)),
      `invariant 4: ${platform} account ${account.id} came back, and nobody said active: true`,
    )
  }
}

function onlyOursAreWritten({ platform, memory, accounts, tiesOf }: Look): void {
  for (const [id, before] of memory.accounts) {
    const now = accounts.get(id)
    if (now?.text === before.text) continue
    assert.ok(!before.isService, `invariant 5: ${platform} protected account ${id} was changed`)
    const isOurs = memory.tied.has(id) || tiesOf(before).length > 0
    assert.ok(isOurs, `invariant 5: ${platform} account ${id} is not ours and was changed`)
  }
}

function inTheOrderAccepted({ platform, memory, store }: Look): void {
  for (const { event, resourceId, operationId } of store.audit) {
    // What an operator does is written down without an operation.
    if (event === 'asked' || operationId === 0) continue
    const newest = memory.newestOperation.get(resourceId) ?? 0
    assert.ok(operationId >= newest, `invariant 7: ${platform} operation ${operationId} ran after ${newest}`)
    memory.newestOperation.set(resourceId, operationId)
  }
}

function everyWriteIsAudited(watch: Watch, { platform, memory, store }: Look): void {
  for (const { event, operationId, resourceId, detail } of store.audit) {
    if (event === 'outcome') memory.open.delete(operationId)
    if (event !== 'calling') continue
    const line = `${detail.method} ${detail.path}`
    memory.announced.set(line, (memory.announced.get(line) ?? 0) + 1)
    memory.open.set(operationId, resourceId)
  }
  const simulator = watch.world.sandbox[platform]
  for (const call of simulator.calls) {
    if (memory.seenCalls.has(call)) continue
    memory.seenCalls.add(call)
    const { logic } = simulator
    const path = call.path.slice(logic.basePath.length).split('?', 1)[0] ?? ''
    if (!isWrite(logic, call, path)) continue
    const line = `${call.method} ${path}`
    const left = memory.announced.get(line) ?? 0
    assert.ok(left > 0, `invariant 8: ${platform} ${line} was called without an audit line before it`)
    memory.announced.set(line, left - 1)
  }
  for (const [operationId, resourceId] of memory.open) {
    const isGoingOn = store.operations.some((operation) => operation.resourceId === resourceId)
    const isTakenOver = (memory.newestOperation.get(resourceId) ?? 0) > operationId
    // Deleted while its attempt was in work, and only let go on the platform: the outcome is written when the attempt ends.
    const isGroupLetGo = [store.groups.map(({ id }) => id), store.links.map((link) => link.resourceId)].every(
      (ids) => !ids.includes(resourceId),
    )
    assert.ok(
      isGoingOn || isTakenOver || isGroupLetGo,
      `invariant 8: ${platform} operation ${operationId} called and has no outcome`,
    )
  }
}

function isWrite(
  logic: { isWrite: Watch['world']['sandbox']['figshare']['logic']['isWrite'] },
  call: RecordedCall,
  rawPath: string,
): boolean {
  const { method, requestHeaders: headers, requestBody: body } = call
  return logic.isWrite({
    method,
    path: decodeURIComponent(rawPath),
    rawPath,
    query: new URLSearchParams(),
    headers,
    body,
  })
}

function nothingSecretIsWritten(watch: Watch): void {
  const { world, platforms } = watch
  const secrets = platforms.flatMap((platform) => [
    world.tokens.get(platform) ?? '',
    ...Object.entries<string | number>({ ...world.sandbox[platform].credentials })
      .filter(([name]) => ['token', 'password', 'jwtSecret'].includes(name))
      .map(([, value]) => String(value)),
  ])
  const lines = world.logLines.slice(watch.logLinesSeen)
  watch.logLinesSeen = world.logLines.length
  const bad = secrets.filter((secret) => secret !== '' && lines.some((line) => line.includes(secret)))
  assert.equal(bad.length, 0, 'invariant 9: a secret was logged')
}

function remember({ platform, memory, store, accounts, tiesOf }: Look): void {
  for (const { detail } of store.audit) {
    assert.ok(!/@|scimb_|Bearer/.test(JSON.stringify(detail)), `invariant 9: a value in the audit of ${platform}`)
  }
  memory.lastAudit = store.audit.at(-1)?.id ?? memory.lastAudit
  for (const { id, isOn } of accounts.values()) {
    if (isOn) memory.lastOn.set(id, memory.lastAudit)
    else memory.onByHand.delete(id)
  }
  memory.mayActivate = new Set(store.operations.filter((one) => one.mayActivate).map((one) => one.resourceId))
  memory.tied = new Set([...accounts.values()].filter((one) => tiesOf(one).length > 0).map(({ id }) => id))
  memory.accounts = accounts
}
