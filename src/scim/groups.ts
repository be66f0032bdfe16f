import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { keysOf, withId } from '../provision/document.ts'
import { type Member, NameTaken, type StoredResource, type StoreWriter } from '../store/store.ts'
import {
  answerIfUnchanged,
  bodyOf,
  etagOf,
  isExpectedVersion,
  notFound,
  refuseStale,
  type ScimContext,
} from './context.ts'
import { normaliseResource } from './normalise.ts'
import { applyPatch, type MemberChange, parsePatch } from './patch.ts'
import { type Projection, parseProjection } from './projection.ts'
import { locationOf, metaValue, renderGroup } from './render.ts'
import { isSameDocument } from './same-document.ts'
import { fromStored } from './stored.ts'

/** RFC 7644 §3.4.1. `excludedAttributes=members` never reads the members. */
export async function getGroup(context: ScimContext, id: string): Promise<Buffer> {
  const stored = await context.store.getResource(context.connection.name, 'Group', id)
  if (stored === undefined) throw notFound('Group')
  answerIfUnchanged(context, stored.version)
  return answer(context, stored)
}

export async function createGroup(context: ScimContext): Promise<Buffer> {
  const { connection, store, clock } = context
  const projection = projectionOf(context)
  const { document, members } = normaliseResource(connection.schemas.group, bodyOf(context), 'create')
  const id = crypto.randomUUID()
  const now = new Date(clock.now()).toISOString()
  const stored = await naming(() =>
    store.transaction(async (write) => {
      const whole = withId(document, id)
      const group = await write.insertResource(connection.name, {
        type: 'Group',
        id,
        json: JSON.stringify(whole),
        keys: keysOf(whole),
        visible: true,
        now,
      })
      await changeMembers(write, context, id, members === undefined ? [] : [{ kind: 'add', ids: members }])
      await audit(write, context, id, 'create group')
      return group
    }),
  )
  context.response.setHeader('Location', locationOf(connection.baseUrl, stored))
  return answer(context, stored, projection)
}

/** RFC 7644 §3.5.1. The list of members is replaced, too: a set difference in the store. */
export async function replaceGroup(context: ScimContext, id: string): Promise<Buffer> {
  const projection = projectionOf(context)
  const { document, members } = normaliseResource(context.connection.schemas.group, bodyOf(context), 'replace')
  const stored = await change(context, id, (base) => ({
    document,
    changed: !isSameDocument(base, document),
    memberChanges: [{ kind: 'replace', ids: members ?? [] }],
  }))
  return answer(context, stored, projection)
}

/** RFC 7644 §3.5.2. Without a body in answer, as Entra advises for long member lists; with one when attributes are asked for. */
export async function patchGroup(context: ScimContext, id: string): Promise<Buffer | undefined> {
  const { schemas, patch: dialect, baseUrl } = context.connection
  const options = { strict: dialect === 'strict' }
  const projection = projectionOf(context)
  const patch = parsePatch(schemas.group, bodyOf(context), options)
  const stored = await change(context, id, (base, current) =>
    applyPatch(schemas.group, base, patch, { ...options, id, readOnly: { meta: metaValue(baseUrl, current) } }),
  )
  context.response.setHeader('ETag', etagOf(stored.version))
  return projection.isWhole ? undefined : answer(context, stored, projection)
}

export async function deleteGroup(context: ScimContext, id: string): Promise<void> {
  const { connection, store, clock } = context
  await store.transaction(async (write) => {
    const stored = await write.getResource(connection.name, 'Group', id)
    if (stored === undefined) throw notFound('Group')
    if (!isExpectedVersion(context.ifMatch, stored.version)) {
      throw new Problem(412, undefined, 'The group was changed meanwhile; read it again.')
    }
    const members = await write.removeAllMembers(connection.name, id)
    await write.touchResources(connection.name, 'User', members, new Date(clock.now()).toISOString())
    await write.deleteResource(connection.name, 'Group', id)
    await audit(write, context, id, 'delete group')
  })
}

interface GroupChange {
  readonly document: JsonObject
  readonly changed: boolean
  readonly memberChanges: readonly MemberChange[]
}

/** Read, computed and written in one transaction: two requests at once both survive. */
function change(
  context: ScimContext,
  id: string,
  compute: (base: JsonObject, current: StoredResource) => GroupChange,
): Promise<StoredResource> {
  const { connection, store, clock } = context
  return naming(() =>
    store.transaction(async (write) => {
      const current = await write.getResource(connection.name, 'Group', id)
      if (current === undefined) throw notFound('Group')
      refuseStale(context, current)
      const { document, changed, memberChanges } = compute(fromStored(current), current)
      const touched = await changeMembers(write, context, id, memberChanges)
      if (!changed && touched === 0) return current
      const whole = withId(document, id)
      const updated = await write.updateResource(connection.name, {
        type: 'Group',
        id,
        expectedVersion: current.version,
        json: JSON.stringify(whole),
        keys: keysOf(whole),
        now: new Date(clock.now()).toISOString(),
      })
      if (updated === undefined)
        throw new Problem(429, undefined, 'The group is being changed by another request; try again.', {
          headers: { 'Retry-After': '5' },
        })
      await audit(write, context, id, 'change group')
      return updated
    }),
  )
}

/** Answers how many memberships really changed; each of their users gets a new version. */
async function changeMembers(
  write: StoreWriter,
  context: ScimContext,
  groupId: string,
  changes: readonly MemberChange[],
): Promise<number> {
  const { name } = context.connection
  const touched = new Set<string>()
  const add = async (ids: readonly string[]) => {
    const unknown = await write.unknownUsers(name, ids)
    if (unknown.length === 0) return
    const shown = unknown.slice(0, 5).map((id) => id.slice(0, 64))
    throw new Problem(
      400,
      'invalidValue',
      `members: there is no User with id ${shown.join(', ')}; push the user first, then the membership.`,
    )
  }
  for (const step of changes) {
    switch (step.kind) {
      case 'add':
        await add(step.ids)
        for (const id of await write.addMembers(name, groupId, step.ids)) touched.add(id)
        break
      case 'remove':
        for (const id of await write.removeMembers(name, groupId, step.ids)) touched.add(id)
        break
      case 'removeAll':
        for (const id of await write.removeAllMembers(name, groupId)) touched.add(id)
        break
      case 'removeWhere': {
        const ids = (await write.members(name, groupId)).map((member) => member.id).filter((id) => step.test(id))
        for (const id of await write.removeMembers(name, groupId, ids)) touched.add(id)
        break
      }
      case 'replace': {
        await add(step.ids)
        const { added, removed } = await write.replaceMembers(name, groupId, step.ids)
        for (const id of [...added, ...removed]) touched.add(id)
        break
      }
    }
  }
  if (touched.size > 0)
    await write.touchResources(name, 'User', [...touched], new Date(context.clock.now()).toISOString())
  return touched.size
}

async function naming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error
    throw new Problem(
      409,
      'uniqueness',
      'A group with this displayName exists already; find it by displayName and update it.',
    )
  }
}

async function audit(write: StoreWriter, context: ScimContext, id: string, kind: string): Promise<void> {
  await write.appendAudit(context.connection.name, {
    at: new Date(context.clock.now()).toISOString(),
    event: 'asked',
    requestId: context.requestId,
    caller: context.caller,
    resourceId: id,
    operationId: undefined,
    accountId: undefined,
    detail: { kind },
  })
}

function projectionOf(context: ScimContext): Projection {
  return parseProjection(
    context.connection.schemas.group,
    context.query.get('attributes'),
    context.query.get('excludedattributes'),
  )
}

async function answer(
  context: ScimContext,
  stored: StoredResource,
  projection = projectionOf(context),
): Promise<Buffer> {
  const { store, connection } = context
  const members: readonly Member[] | undefined = projection.wantsMembers
    ? await store.members(connection.name, stored.id)
    : undefined
  context.response.setHeader('ETag', etagOf(stored.version))
  const text = renderGroup(connection.baseUrl, stored, members)
  return Buffer.from(projection.isWhole ? text : JSON.stringify(projection.project(JSON.parse(text))))
}
