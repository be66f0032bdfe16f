/** Grants: user-type tags by name. Adding and removing are idempotent; the documented `assign` is a toggle and never used. */
import { Absent, Broken, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { type Tag, tag, tagPage } from './answers.ts'
import { pages } from './pages.ts'
import { saysNone } from './refusals.ts'
import type { Caller } from './tokens.ts'
import { readUser, whyNotShown } from './users.ts'

export const tagPath = ['api', 'v2', 'tag'] as const

/** A tag can only be marked as deleted; it keeps its name, which is unique among the tags of its type. */
export function isUserTag(candidate: Tag): boolean {
  return candidate.deleted !== true && (candidate.type ?? 'user') === 'user'
}

async function heldTags(caller: Caller, call: Call, id: AccountId): Promise<readonly Tag[]> {
  const held = new Map<number, Tag>()
  try {
    for await (const rows of pages(caller, call, ['api', 'v2', 'user', id, 'tags'], [], tagPage))
      for (const row of rows) if (isUserTag(row)) held.set(row.id, row)
  } catch (error) {
    // 404 is a page in an unexpected shape to the walk; only the account itself can say that it is gone.
    throw error instanceof Broken ? ((await whyNotShown(caller, call, id, 'tags')) ?? error) : error
  }
  return [...held.values()]
}

const readAhead = createReadAhead<readonly Tag[]>()

export async function readTags(caller: Caller, call: Call, id: AccountId): Promise<readonly Tag[]> {
  return readAhead.keep(call, id, await heldTags(caller, call, id))
}

export function toGrants(held: readonly Tag[]): readonly Grant[] {
  return held.map(({ name }) => ({ tag: name }))
}

function isMembershipIn(grant: Grant, { id, name }: Tag): boolean {
  return grant.id === undefined ? grant.tag === name : grant.id === String(id)
}

export async function writeTags(
  caller: Caller,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const held = await readAhead.take(call, id, () => heldTags(caller, call, id))
  const missing = give.filter((grant) => !held.some((of) => isMembershipIn(grant, of)))
  const removing = held.filter((of) => take.some((grant) => isMembershipIn(grant, of)))
  if (missing.length === 0 && removing.length === 0) return toGrants(held)
  // All are looked up before the first is given: an unknown one leaves the old set whole.
  const adding = new Map<number, Tag>()
  for (const grant of missing) {
    const found = await requireTag(caller, call, grant)
    adding.set(found.id, found)
  }
  for (const added of adding.values()) await change(caller, call, added, 'add', id)
  for (const removed of removing) await change(caller, call, removed, 'remove', id)
  const after = await heldTags(caller, call, id)
  const now = new Set(after.map((of) => of.id))
  if ([...adding.keys()].some((added) => !now.has(added)) || removing.some((removed) => now.has(removed.id)))
    throw new Broken(`tags of account ${id} were read back otherwise than written`)
  return toGrants(after)
}

async function findTag(caller: Caller, call: Call, name: string): Promise<Tag | undefined> {
  return (await tagsNamed(caller, call, name)).find(isUserTag)
}

/** Living and deleted ones; SelfCommunity finds names that contain the text. */
export async function tagsNamed(caller: Caller, call: Call, name: string): Promise<readonly Tag[]> {
  // An empty search is none: it would list them all.
  if (name === '') return []
  const query = [
    ['type', 'user'],
    ['search', name],
  ] as const
  for await (const rows of pages(caller, call, tagPath, query, tagPage)) {
    const found = rows.filter((row) => row.name === name && (row.type ?? 'user') === 'user')
    if (found.length > 0) return found
  }
  return []
}

/** A tag that is marked as deleted is none any more. */
export async function readTag(caller: Caller, call: Call, id: string): Promise<Tag | undefined> {
  if (!/^[1-9]\d{0,14}$/.test(id)) return undefined
  const request: PlatformRequest = { method: 'GET', path: [...tagPath, id] }
  const answer = await caller.asService(call, request)
  if (saysNone(answer)) return undefined
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const read = parseAnswer(tag, request, answer)
  if (String(read.id) !== id) throw new Broken(`tag ${id} was asked for, another one answered`)
  return isUserTag(read) ? read : undefined
}

async function requireTag(caller: Caller, call: Call, { id, tag: name }: Grant): Promise<Tag> {
  const found = await (id === undefined ? findTag(caller, call, String(name)) : readTag(caller, call, String(id)))
  if (found !== undefined) return found
  throw new Refused(
    'tag: SelfCommunity has no user tag with this name; make it first, or correct the mapping.',
    'no such tag',
  )
}

async function change(caller: Caller, call: Call, of: Tag, action: 'add' | 'remove', id: AccountId): Promise<void> {
  const path = [...tagPath, String(of.id), action]
  const request: PlatformRequest = { method: 'POST', path, body: { user: Number(id) } }
  const answer = await caller.asService(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (saysNone(answer) && (await readUser(caller, call, id)) === undefined) throw new Absent(`account ${id} is gone`)
  throw unexpectedAnswer(request, answer)
}
