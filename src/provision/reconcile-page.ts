/** What a page of accounts is to the bridge, written down in one transaction. */
import type { Account, AccountId } from '../facts.ts'
import { toPlatform } from '../mapping/evaluate.ts'
import type { StoreWriter } from '../store/store.ts'
import type { Finding, HeldAccount, Walk } from '../store/walk-store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { parseDocument } from './document.ts'
import { isLetGo } from './reach-let-go.ts'
import { type Candidate, classifyFree, classifyHeld, type Held } from './reconcile-classify.ts'
import { keysOfAccount, type MatchKeys } from './reconcile-keys.ts'

export interface Page {
  readonly walk: Walk
  readonly accounts: readonly Account[]
  /** When the platform was asked: what was applied later is newer than what was read. */
  readonly readAt: number
  /** Those whose managed grants differ. */
  readonly otherGrants?: ReadonlySet<AccountId>
}

/** Of accounts that dispute one resource, and of resources that dispute one account. */
const othersShown = 20

const letGo = 'an operator has let go of this user’s account; an operator links one again (users adopt)'

/** Asked about accounts that are nobody's, before they are written down. */
export type OnStranger = (account: Account, finding: Finding) => Promise<Finding>

/** Answers how many accounts the walk had not met before: pages overlap when rows shift. */
export async function noteAccounts(
  write: StoreWriter,
  connection: ProvisionedConnection,
  { walk, accounts, readAt, otherGrants }: Page,
  onStranger: OnStranger = async (_account, finding) => finding,
): Promise<number> {
  const { name } = connection
  const met = await write.metAccounts(name, walk.number, idsOf(accounts))
  const fresh = [...new Map(accounts.map((account) => [account.id, account])).values()].filter(({ id }) => !met.has(id))
  const held = await write.heldAccounts(name, idsOf(fresh))
  const strangers = fresh.filter(({ id }) => !held.has(id))
  const tombstones = await write.tombstonesOf(name, idsOf(strangers))
  for (const account of fresh) {
    const holder = held.get(account.id)
    if (holder !== undefined) {
      await write.putFinding(name, walk.number, classifyHeld(account, heldOf(holder, readAt, otherGrants), connection))
      continue
    }
    const tombstone = tombstones.get(account.id)
    const keys = keysOfAccount(connection.mapping, connection.facts, account.attributes)
    const candidates = await candidatesOf(write, connection, walk, account, keys)
    const found = classifyFree(account, { ...candidates, isTombstone: tombstone !== undefined }, connection)
    const finding =
      found.situation === 'revived' ? await revivedOrLetGo(write, name, found, tombstone?.resourceId) : found
    await write.putFinding(
      name,
      walk.number,
      finding.situation === 'unmatched' ? await onStranger(account, finding) : finding,
    )
    if (finding.situation === 'disputed') await disputeRivals(write, name, walk, finding)
  }
  return fresh.length
}

/** Whoever was deleted may have come again, and an operator may have let go of the account since: then nobody writes it. */
async function revivedOrLetGo(
  write: StoreWriter,
  connection: string,
  found: Finding,
  former: string | undefined,
): Promise<Finding> {
  const resourceId = await write.letGoBy(connection, found.accountId)
  if (resourceId === undefined) return { ...found, resourceId: former }
  return { ...found, situation: 'disputed', resourceId, remedy: undefined, done: letGo }
}

function idsOf(accounts: readonly Account[]): string[] {
  return accounts.map(({ id }) => id)
}

function heldOf(holder: HeldAccount, readAt: number, otherGrants: ReadonlySet<AccountId> | undefined): Held {
  const { accountId, resourceId, json, operationState, lastAppliedAt } = holder
  const isNewer = lastAppliedAt !== undefined && Date.parse(lastAppliedAt) > readAt
  const isUnfinished = operationState !== undefined && operationState !== 'failed'
  const document = json === undefined ? undefined : parseDocument(json)
  const hasOtherGrants = otherGrants?.has(accountId) === true
  return { resourceId, document, isInMotion: isUnfinished || isNewer, hasOtherGrants }
}

async function candidatesOf(
  write: StoreWriter,
  connection: ProvisionedConnection,
  walk: Walk,
  account: Account,
  keys: MatchKeys,
): Promise<{ matching: readonly Candidate[]; rivalled: readonly Candidate[] }> {
  const { name } = connection
  const all = [...keys.match, ...keys.distinct]
  const resources =
    all.length === 0 ? new Map<string, readonly string[]>() : await write.resourcesByKeys(name, walk.number, all)
  const fitting = (some: readonly string[]) =>
    [...new Set(some.flatMap((key) => resources.get(key) ?? []))].slice(0, othersShown)
  const candidate = async (resourceId: string): Promise<Candidate> => {
    const link = await write.getLink(name, resourceId)
    const others = await write.findingsOfResource(name, walk.number, resourceId)
    const rivals = others.map(({ accountId }) => accountId).filter((id) => id !== account.id)
    const refusal =
      link !== undefined && isLetGo(link) ? letGo : await whyRefused(write, connection, account, resourceId)
    return { resourceId, heldAccount: link?.accountId, rivals, refusal }
  }
  const matching = fitting(keys.match)
  const rivalled = fitting(keys.distinct).filter((id) => !matching.includes(id))
  return { matching: await inTurn(matching, candidate), rivalled: await inTurn(rivalled, candidate) }
}

async function whyRefused(
  write: StoreWriter,
  { name, mapping, facts, platform }: ProvisionedConnection,
  account: Account,
  resourceId: string,
): Promise<string | undefined> {
  const resource = await write.getResource(name, 'User', resourceId)
  if (resource === undefined || platform.refuseAdoption === undefined) return undefined
  const { attributes } = toPlatform(mapping, facts, parseDocument(resource.json), { activeDefault: true })
  return platform.refuseAdoption(account, attributes)
}

/** Those met before took the resource for theirs alone. */
async function disputeRivals(write: StoreWriter, connection: string, walk: Walk, finding: Finding): Promise<void> {
  if (finding.resourceId === undefined) return
  for (const rival of await write.findingsOfResource(connection, walk.number, finding.resourceId)) {
    if (rival.accountId === finding.accountId || !finding.otherAccounts.includes(rival.accountId)) continue
    if (rival.otherAccounts.length >= othersShown) continue
    const otherAccounts = [...new Set([...rival.otherAccounts, finding.accountId])]
    await write.putFinding(connection, walk.number, {
      ...rival,
      situation: 'disputed',
      otherAccounts,
      remedy: undefined,
    })
  }
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await work(item))
  return results
}
