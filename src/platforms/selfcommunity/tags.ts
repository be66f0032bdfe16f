/** Grants: user-type tags by name. Adding and removing are idempotent; the documented `assign` is a toggle and never used. */
import { Absent, Broken, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { type Tag, tagPage } from './answers.ts'
import { pages } from './pages.ts'
import { saysNone } from './refusals.ts'
import type { Caller } from './tokens.ts'
import { readUser } from './users.ts'

/** A tag can only be marked as deleted; it keeps its name, which is unique among the tags of its type. */
export function isUserTag(candidate: Tag): boolean {
  return candidate.deleted !== true && (candidate.type ?? 'user') === 'user'
}

/** Name → tag. */
async function heldTags(caller: Caller, call: Call, id: AccountId): Promise<Map<string, Tag>> {
  const held = new Map<string, Tag>()
  try {
    for await (const rows of pages(caller, call, ['api', 'v2', 'user', id, 'tags'], [], tagPage))
      for (const row of rows) if (isUserTag(row)) held.set(row.name, row)
  } catch (error) {
    // 404 is a page in an unexpected shape to the walk; only the account itself can say that it is gone.
    if (error instanceof Broken && (await readUser(caller, call, id)) === undefined)
      throw new Absent(`account ${id} has no tags because it is gone`, { cause: error })
    throw error
  }
  return held
}

const readAhead = createReadAhead<ReadonlyMap<string, Tag>>()

export async function readTags(caller: Caller, call: Call, id: AccountId): Promise<readonly Grant[]> {
  return toGrants(readAhead.keep(call, id, await heldTags(caller, call, id)))
}

function toGrants(held: ReadonlyMap<string, Tag>): readonly Grant[] {
  return [...held.keys()].map((name) => ({ tag: name }))
}

export async function writeTags(
  caller: Caller,
  call: Call,
  id: AccountId,
  give: readonly string[],
  take: readonly string[],
): Promise<readonly Grant[]> {
  const held = await readAhead.take(call, id, () => heldTags(caller, call, id))
  const missing = [...new Set(give)].filter((name) => !held.has(name))
  const unwanted = [...new Set(take)].filter((name) => held.has(name))
  if (missing.length === 0 && unwanted.length === 0) return toGrants(held)
  // All names are looked up before the first is given: an unknown one leaves the old set whole.
  const adding: Tag[] = []
  for (const name of missing) adding.push(await requireTag(caller, call, name))
  for (const added of adding) await change(caller, call, added, 'add', id)
  for (const name of unwanted) {
    const removed = held.get(name)
    if (removed !== undefined) await change(caller, call, removed, 'remove', id)
  }
  const after = await heldTags(caller, call, id)
  if (missing.some((name) => !after.has(name)) || unwanted.some((name) => after.has(name)))
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
  for await (const rows of pages(caller, call, ['api', 'v2', 'tag'], query, tagPage)) {
    const found = rows.filter((row) => row.name === name && (row.type ?? 'user') === 'user')
    if (found.length > 0) return found
  }
  return []
}

async function requireTag(caller: Caller, call: Call, name: string): Promise<Tag> {
  const found = await findTag(caller, call, name)
  if (found !== undefined) return found
  throw new Refused(
    'tag: SelfCommunity has no user tag with this name; make it first, or correct the mapping.',
    'no such tag',
  )
}

async function change(caller: Caller, call: Call, of: Tag, action: 'add' | 'remove', id: AccountId): Promise<void> {
  const path = ['api', 'v2', 'tag', String(of.id), action]
  const request: PlatformRequest = { method: 'POST', path, body: { user: Number(id) } }
  const answer = await caller.asService(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (saysNone(answer) && (await readUser(caller, call, id)) === undefined) throw new Absent(`account ${id} is gone`)
  throw unexpectedAnswer(request, answer)
}
