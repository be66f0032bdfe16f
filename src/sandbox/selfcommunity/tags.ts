/** Tags, and who carries them. A tag can be switched off and marked as deleted, never removed. */
import type { SimulatorAnswer } from '../simulator.ts'
import { html, invalidField, json, noContent, notFound, Refusal, refusal, taken } from './answers.ts'
import { admin, type Call, type Route, signedIn, tagOf, touch } from './call.ts'
import { fieldReader, readFields, toBoolean } from './input.ts'
import { contains, page, type SortKey, sorted } from './pages.ts'
import { isPublic, showTag, showUser } from './show.ts'
import type { CommunityTag, CommunityUser } from './state.ts'

export const tagRoutes: readonly Route[] = [
  ['GET', /^\/tag\/$/, (call) => page(call, listTags(call), showTag)],
  ['POST', /^\/tag\/$/, createTag],
  ['GET', /^\/tag\/search\/$/, (call) => searchTags(call, 'docs')],
  ['GET', /^\/tag\/user\/search\/$/, (call) => searchTags(call, 'sdk')],
  ['GET', /^\/tag\/user\/$/, listTagged],
  ['GET', /^\/tag\/(\d+)\/$/, showOne],
  ['PATCH', /^\/tag\/(\d+)\/$/, (call) => updateTag(call, 'part')],
  ['PUT', /^\/tag\/(\d+)\/$/, (call) => updateTag(call, 'whole')],
  ['POST', /^\/tag\/(\d+)\/add\/$/, (call) => assign(call, () => true)],
  ['POST', /^\/tag\/(\d+)\/remove\/$/, (call) => assign(call, () => false)],
  ['POST', /^\/tag\/(\d+)\/assign\/$/, (call) => assign(call, (isPresent) => !isPresent)],
]

const tagTypes = ['user', 'category', 'contribution'] as const
const flags = ['visible', 'visibility_boost', 'active', 'deleted'] as const
const tagOrder = new Map<string, SortKey<CommunityTag>>([
  ['created_at', (tag) => tag.createdAt],
  ['id', (tag) => tag.id],
  ['name', (tag) => tag.name],
])

/** Administrators also see what is inactive, invisible or deleted. */
function listTags(call: Call): CommunityTag[] {
  const caller = signedIn(call)
  const { query } = call.request
  const search = query.get('search') ?? ''
  const type = query.get('type')
  const rows = [...call.state.tags.values()].filter((tag) => {
    if (caller.role !== 'admin' && !isPublic(tag)) return false
    if (type !== null && tag.type !== type) return false
    const fits = (name: 'active' | 'deleted' | 'visible') => (toBoolean(query.get(name)) ?? tag[name]) === tag[name]
    return fits('active') && fits('deleted') && fits('visible') && contains(tag.name, search)
  })
  return sorted(rows, query.get('ordering'), '-created_at', tagOrder)
}

function searchTags(call: Call, source: 'docs' | 'sdk'): SimulatorAnswer {
  if (call.state.knobs.tagSearchPath !== source) throw new Refusal(html(404, 'Not Found'))
  admin(call)
  return page(call, listTags(call), showTag)
}

const taggedOrder = new Map<string, SortKey<CommunityUser>>([
  ['id', (user) => user.id],
  ['username', (user) => user.username],
  ['real_name', (user) => user.real_name],
])

function listTagged(call: Call): SimulatorAnswer {
  admin(call)
  const { query } = call.request
  const id = query.get('tag_id')
  const name = query.get('tag_name')
  if (id === null && name === null) throw refusal(400, 'required', 'tag_id or tag_name is required.')
  const tags = [...call.state.tags.values()].filter((tag) =>
    id === null ? tag.type === 'user' && tag.name === name : String(tag.id) === id,
  )
  const rows = [...call.state.users.values()].filter((user) => tags.some((tag) => user.tags.has(tag.id)))
  return page(call, sorted(rows, query.get('ordering'), 'id', taggedOrder), (user) => showUser(call.state, user))
}

function showOne(call: Call): SimulatorAnswer {
  const tag = tagOf(call)
  if (signedIn(call).role !== 'admin' && !isPublic(tag)) throw notFound()
  return json(200, showTag(tag))
}

function createTag(call: Call): SimulatorAnswer {
  admin(call)
  const fields = readTag(call, ['name', 'type'])
  const { name, type } = fields
  if (name === undefined || type === undefined) throw invalidField('name', 'required', 'This field is required.')
  refuseTwin(call, name, type)
  return json(201, showTag(call.state.addTag({ ...fields, name, type })))
}

function updateTag(call: Call, extent: 'part' | 'whole'): SimulatorAnswer {
  admin(call)
  const tag = tagOf(call)
  const { type: _fixed, ...fields } = readTag(call, extent === 'whole' ? ['name', 'type'] : [])
  refuseTwin(call, fields.name ?? tag.name, tag.type, tag)
  Object.assign(tag, fields)
  return json(200, showTag(tag))
}

/** A name is unique among the tags of its type; one that is marked as deleted keeps it. */
function refuseTwin(call: Call, name: string, type: CommunityTag['type'], own?: CommunityTag): void {
  const isTwin = (tag: CommunityTag) => tag !== own && tag.name === name && tag.type === type
  if ([...call.state.tags.values()].some(isTwin)) throw taken(call.state.knobs, 'name')
}

type TagFields = Partial<Omit<CommunityTag, 'id' | 'createdAt'>>

function readTag(call: Call, required: readonly string[]): TagFields {
  const fields = readFields(call.request)
  const reader = fieldReader(fields)
  for (const name of required) reader.require(name)
  const name = reader.text('name', { least: 1, most: 64 })
  const type = reader.choice('type', tagTypes)
  const description = fields.get('description') === null ? null : reader.text('description', { most: 500 })
  const color = reader.text('color')
  if (color !== undefined && !/^#[0-9A-Fa-f]{6}$/.test(color)) reader.report('color', 'invalid', 'Not a colour.')
  const switches = flags.map((flag) => [flag, reader.boolean(flag)] as const)
  reader.finish()
  const given: TagFields = { name, type, description, color, ...Object.fromEntries(switches) }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** `add/` and `remove/` may be repeated; `assign/` turns round what it finds. */
function assign(call: Call, wanted: (isPresent: boolean) => boolean): SimulatorAnswer {
  admin(call)
  const tag = tagOf(call)
  const fields = readFields(call.request)
  const targets = tagTypes.filter((name) => fields.has(name))
  const [target] = targets
  if (target === undefined || targets.length > 1) {
    throw refusal(400, 'invalid', 'Exactly one of user, category, contribution is required.')
  }
  if (target !== tag.type) throw invalidField(target, 'invalid', `The tag is of the type ${tag.type}.`)
  const id = Number(fields.get(target))
  // There are no categories and no contributions in this community.
  const user = target === 'user' ? call.state.users.get(id) : undefined
  if (user === undefined || user.status === 'u') throw invalidField(target, 'exist', 'The object does not exist.')
  if (wanted(user.tags.has(tag.id))) user.tags.add(tag.id)
  else user.tags.delete(tag.id)
  touch(call, user.id)
  return noContent
}
