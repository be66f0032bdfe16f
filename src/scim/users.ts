import type { JsonObject } from '../json.ts'
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
import { type NormalisedResource, normaliseResource } from './normalise.ts'
import { applyPatch, type PatchRequest, parsePatch } from './patch.ts'
import { type Projection, parseProjection } from './projection.ts'
import { groupsValue, locationOf, metaValue, renderUser } from './render.ts'
import { isSameDocument } from './same-document.ts'
import { fromStored, toStoredUser } from './stored.ts'

/** RFC 7644 §3.4.1. From the store alone: exact and fast while the platform is away. */
export function getUser(context: ScimContext, id: string): Promise<string> {
  return answer(context, id, projectionOf(context), (version) => answerIfUnchanged(context, version))
}

/** RFC 7644 §3.3. */
export async function createUser(context: ScimContext): Promise<string> {
  const projection = projectionOf(context)
  const { document, active } = normalised(context, 'create')
  const id = await context.connection.provision.createUser(askedOf(context), {
    document: toStoredUser(context.connection.schemas, { ...document, active: active ?? true }),
    active,
  })
  const text = await answer(context, id, projection)
  context.response.setHeader('Location', locationOf(context.connection.baseUrl, { type: 'User', id }))
  // Not when the answer becomes an error after all: the POST will be repeated then.
  context.response.whenSent(() => context.connection.provision.noteFlushed(id))
  return text
}

/** RFC 7644 §3.5.1. `active` absent is unchanged: nothing but an explicit `true` switches an account on. */
export async function replaceUser(context: ScimContext, id: string): Promise<string> {
  const projection = projectionOf(context)
  const { document, active } = normalised(context, 'replace')
  await change(context, id, (base) => {
    const next = { ...document, active: active ?? base.active ?? true }
    return { document: next, active, changed: !isSameDocument(base, next) }
  })
  return answer(context, id, projection)
}

/** RFC 7644 §3.5.2. Answers the whole user: Okta and Entra both take 200. */
export async function patchUser(context: ScimContext, id: string): Promise<string> {
  const projection = projectionOf(context)
  const { schemas, patch: dialect, baseUrl } = context.connection
  const options = { strict: dialect === 'strict' }
  const patch = parsePatch(schemas.user, bodyOf(context), options)
  const echoed = await groupsIfRepeated(context, id, patch)
  await change(context, id, (base, current) => {
    const readOnly = { meta: metaValue(baseUrl, current), ...echoed }
    return applyPatch(schemas.user, base, patch, { ...options, id, readOnly })
  })
  return answer(context, id, projection)
}

/** Groups are no part of the document; they are read for a client that sends back the user as it was answered. */
async function groupsIfRepeated(
  { store, connection }: ScimContext,
  id: string,
  patch: PatchRequest,
): Promise<JsonObject> {
  if (!patch.steps.some((step) => step.kind === 'unchanged' && step.attribute.name === 'groups')) return {}
  const groups = (await store.groupsOf(connection.name, [id])).get(id) ?? []
  return { groups: groupsValue(connection.baseUrl, groups) }
}

/** RFC 7644 §3.6. */
export async function deleteUser(context: ScimContext, id: string): Promise<void> {
  const isExpected = (version: number) => isExpectedVersion(context.ifMatch, version)
  const existed = await context.connection.provision.deleteUser(askedOf(context), id, isExpected)
  if (!existed) throw notFound('User')
}

function normalised(context: ScimContext, mode: 'create' | 'replace'): NormalisedResource {
  const resource = normaliseResource(context.connection.schemas.user, bodyOf(context), mode)
  context.connection.ignored.note(resource.ignored)
  return resource
}

interface Change {
  readonly document: JsonObject
  readonly active: boolean | undefined
  readonly changed: boolean
}

/** Computed inside the transaction that stores it: no update of another request is lost. */
async function change(
  context: ScimContext,
  id: string,
  compute: (base: JsonObject, current: StoredResource) => Change,
): Promise<void> {
  const existed = await context.connection.provision.updateUser(askedOf(context), id, (current) => {
    refuseStale(context, current)
    const { document, active, changed } = compute(fromStored(current), current)
    return { document: toStoredUser(context.connection.schemas, document), active, changed }
  })
  if (!existed) throw notFound('User')
}

function projectionOf(context: ScimContext): Projection {
  return parseProjection(
    context.connection.schemas.user,
    context.query.get('attributes'),
    context.query.get('excludedattributes'),
  )
}

/** As the store has it now: an earlier answer may have been overtaken. */
async function answer(
  context: ScimContext,
  id: string,
  projection: Projection,
  before: (version: number) => void = () => {},
): Promise<string> {
  const { store, connection } = context
  const user = await store.getUser(connection.name, id)
  if (user === undefined) throw notFound('User')
  const { resource } = user
  before(resource.version)
  context.response.setHeader('ETag', etagOf(resource.version))
  const parts = projection.wantsProvisioning ? user : { ...user, provisioning: undefined }
  const text = renderUser(connection.baseUrl, resource, parts)
  return projection.isWhole ? text : JSON.stringify(projection.project(JSON.parse(text)))
}
