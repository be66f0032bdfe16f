/** Resources out of accounts that are nobody's yet, so that an identity provider finds the people it has on the platform. */
import { Problem } from '../errors.ts'
import type { Account } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { compare, readAccount, toPlatform } from '../mapping/evaluate.ts'
import type { StoreWriter } from '../store/store.ts'
import type { Finding } from '../store/walk-store.ts'
import { keysOf, parseDocument, withId } from './document.ts'
import { keysOfAccount, keysOfDocument } from './reconcile-keys.ts'
import { auditLinked, type RepairContext } from './reconcile-repair.ts'

/** What the mapping reads out of an account → the canonical document. Throws `Problem` that names the attribute at fault. */
export type ToDocument = (scim: JsonObject) => JsonObject

export const imported = 'imported'
export const wouldBeImported = 'would be imported'

/** Nothing is written on the platform. Answers the finding with what became of the account. */
export async function importAccount(
  write: StoreWriter,
  context: RepairContext,
  toDocument: ToDocument,
  account: Account,
  finding: Finding,
): Promise<Finding> {
  const { connection, world, walk } = context
  const { name, mapping, facts } = connection
  const read = documentOf(account, mapping, toDocument)
  if ('refusal' in read) return { ...finding, done: `refused: ${read.refusal}` }
  if (await isBeingMade(write, context, account))
    return { ...finding, done: 'left alone: it may belong to a user whose create is under way; import again later' }
  const { userName } = read.document
  if (typeof userName !== 'string' || (await write.findByUniqueName(name, 'User', userName)) !== undefined)
    return { ...finding, done: 'refused: another user of this connection has its userName' }
  const resourceId = world.newId()
  const document = withId(read.document, resourceId)
  // A second account with the same key shows as a dispute, also where nothing is written.
  const keys = keysOfDocument(mapping, facts, document)
  for (const key of [...keys.match, ...keys.distinct]) await write.putMatchKey(name, walk.number, key, resourceId)
  if (walk.isDryRun) return { ...finding, done: wouldBeImported }
  const now = new Date(world.clock.now()).toISOString()
  await write.insertResource(name, {
    type: 'User',
    id: resourceId,
    json: JSON.stringify(document),
    keys: keysOf(document),
    visible: true,
    now,
  })
  const wanted = toPlatform(mapping, facts, document, { activeDefault: true })
  const { changes, drift, refusals } = compare(mapping, facts, wanted, account.attributes)
  const differing = [...changes.keys(), ...drift, ...refusals.map(({ attribute }) => attribute)]
  await write.putLink({
    connection: name,
    resourceId,
    state: 'live',
    accountId: account.id,
    applied: Object.fromEntries(account.attributes),
    lastAppliedAt: undefined,
    drift: [...new Set(differing)],
    // Known to everybody: a POST of the same person is a duplicate, and the identity provider looks the user up.
    wasFlushed: true,
    userName,
    externalId: typeof document.externalId === 'string' ? document.externalId : undefined,
    deletedAt: undefined,
    invitedAt: undefined,
    invitations: 0,
    grants: [],
    unlinkedAccountId: undefined,
  })
  await auditLinked(write, context, { resourceId, accountId: account.id }, 'import')
  return { ...finding, resourceId, attributes: [...new Set(differing)], done: imported }
}

/** More creates under way than this are not looked through: everything waits for them. */
const proposedLooked = 100

/** The platform has made the account a moment ago, and its user's link does not say so yet. */
async function isBeingMade(write: StoreWriter, { connection }: RepairContext, account: Account): Promise<boolean> {
  const { name, mapping, facts } = connection
  const proposed = await write.proposedDocuments(name, proposedLooked)
  if (proposed.length === proposedLooked) return true
  const own = keysOfAccount(mapping, facts, account.attributes)
  return proposed.some((json) => {
    const keys = keysOfDocument(mapping, facts, parseDocument(json))
    return keys.match.some((key) => own.match.includes(key)) || keys.distinct.some((key) => own.distinct.includes(key))
  })
}

function documentOf(
  account: Account,
  mapping: RepairContext['connection']['mapping'],
  toDocument: ToDocument,
): { readonly document: JsonObject } | { readonly refusal: string } {
  const { scim } = readAccount(mapping, account.attributes)
  if (typeof scim.userName !== 'string' || scim.userName.trim() === '')
    return { refusal: 'the mapping reads no userName out of it (see read: in the mapping file)' }
  try {
    return { document: toDocument(scim) }
  } catch (error) {
    if (error instanceof Problem) return { refusal: error.message }
    throw error
  }
}
