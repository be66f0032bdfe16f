import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../json.ts'
import type { GroupChange } from '../provision/accept-group.ts'
import type { StoredResource } from '../store/store.ts'
import {
  answerIfUnchanged,
  askedOf,
  bodyOf,
  etagOf,
  isExpectedVersion,
  notFound,
  refuseStale,
  type ScimContext,
} from './context.ts'
import { normaliseResource } from './normalise.ts'
import { applyPatch, parsePatch } from './patch.ts'
import { type Projection, parseProjection } from './projection.ts'
import { locationOf, membersText, metaValue, renderGroup, shownMembers } from './render.ts'
import { isSameDocument } from './same-document.ts'
import { fromStored } from './stored.ts'

/** RFC 7644 §3.4.1. `excludedAttributes=members` never reads the members. */
export async function getGroup(context: ScimContext, id: string): Promise<string> {
  const stored = await context.store.getResource(context.connection.name, 'Group', id)
  if (stored === undefined) throw notFound('Group')
  answerIfUnchanged(context, stored.version)
  return answer(context, stored)
}

export async function createGroup(context: ScimContext): Promise<string> {
  const { connection } = context
  const projection = projectionOf(context)
  const { document, members } = normaliseResource(connection.schemas.group, bodyOf(context), 'create')
  const stored = await connection.provision.groups.create(askedOf(context), { document, members: members ?? [] })
  context.response.setHeader('Location', locationOf(connection.baseUrl, stored))
  return answer(context, stored, projection)
}

/** RFC 7644 §3.5.1. The list of members is replaced, too: a set difference in the store. */
export async function replaceGroup(context: ScimContext, id: string): Promise<string> {
  const projection = projectionOf(context)
  const { document, members } = normaliseResource(context.connection.schemas.group, bodyOf(context), 'replace')
  const stored = await change(context, id, (base) => ({
    document,
    changed: !isSameDocument(base, document),
    memberChanges: [{ kind: 'replace', ids: members ?? [] }],
    isAboutMembersAlone: false,
  }))
  return answer(context, stored, projection)
}

/** RFC 7644 §3.5.2. Without a body in answer, as Entra advises for long member lists; with one when attributes are asked for. */
export async function patchGroup(context: ScimContext, id: string): Promise<string | undefined> {
  const { schemas, patch: dialect, baseUrl, groupPatchAnswer } = context.connection
  const options = { strict: dialect === 'strict' }
  const projection = projectionOf(context)
  const patch = parsePatch(schemas.group, bodyOf(context), options)
  const isAboutMembersAlone =
    patch.steps.some(({ kind }) => kind === 'members') &&
    patch.steps.every(({ kind }) => kind === 'members' || kind === 'unchanged')
  const stored = await change(context, id, (base, current) => {
    const readOnly = { meta: metaValue(baseUrl, current) }
    return { ...applyPatch(schemas.group, base, patch, { ...options, id, readOnly }), isAboutMembersAlone }
  })
  context.response.setHeader('ETag', etagOf(stored.version))
  return projection.isWhole && groupPatchAnswer === 'none' ? undefined : answer(context, stored, projection)
}

export async function deleteGroup(context: ScimContext, id: string): Promise<void> {
  const isExpected = (version: number) => isExpectedVersion(context.ifMatch, version)
  const existed = await context.connection.provision.groups.delete(askedOf(context), id, isExpected)
  if (!existed) throw notFound('Group')
}

/** Read, computed and written in one transaction: two requests at once both survive. */
async function change(
  context: ScimContext,
  id: string,
  compute: (base: JsonObject, current: StoredResource) => GroupChange,
): Promise<StoredResource> {
  const stored = await context.connection.provision.groups.update(askedOf(context), id, (current) => {
    refuseStale(context, current)
    return compute(fromStored(current), current)
  })
  if (stored === undefined) throw notFound('Group')
  return stored
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
): Promise<string> {
  const { store, connection } = context
  const pages: string[] = []
  if (projection.wantsMembers) {
    for await (const page of store.memberPages(connection.name, stored.id)) {
      // A large group is the work of many requests: theirs go on meanwhile.
      if (pages.length > 0) await nextTurn()
      pages.push(membersText(connection.baseUrl, shownMembers(connection.schemas, page)))
    }
  }
  context.response.setHeader('ETag', etagOf(stored.version))
  const text = renderGroup(connection.baseUrl, stored, pages.join(','))
  return projection.isWhole ? text : JSON.stringify(projection.project(JSON.parse(text)))
}
