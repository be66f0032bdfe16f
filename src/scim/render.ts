/**
 * Resources as text. A stored document is text and goes out as text: what is kept apart (`members`, `groups`,
 * Provisioning, `meta`) is spliced in before the last brace.
 */
import type { JsonObject } from '../json.ts'
import type { GroupReference, Member, ProvisioningView, StoredResource } from '../store/store.ts'
import { provisioningUrn } from './attribute.ts'
import { etagOf } from './context.ts'
import type { Schemas } from './schema.ts'

export interface UserParts {
  readonly groups: readonly GroupReference[]
  /** Undefined: not asked for. */
  readonly provisioning: ProvisioningView | undefined
}

export function renderUser(baseUrl: string, stored: StoredResource, parts: UserParts): string {
  const groups = parts.groups.length === 0 ? '' : `,"groups":${JSON.stringify(groupsValue(baseUrl, parts.groups))}`
  const provisioning =
    parts.provisioning === undefined ? '' : `,"${provisioningUrn}":${provisioningText(parts.provisioning)}`
  return `${stored.json.slice(0, -1)}${groups}${provisioning},"meta":${metaText(baseUrl, stored)}}`
}

/** Members with their names where the schema announces these. */
export function shownMembers({ group }: Pick<Schemas, 'group'>, members: readonly Member[]): readonly Member[] {
  const showsNames = group.core.get('members')?.sub?.has('display') ?? false
  return showsNames ? members : members.map(({ id }) => ({ id, display: undefined }))
}

/** `members`: text of the list's content, empty when there are none or the client asked to leave them out. */
export function renderGroup(baseUrl: string, stored: StoredResource, members: string): string {
  const text = members === '' ? '' : `,"members":[${members}]`
  return `${stored.json.slice(0, -1)}${text},"meta":${metaText(baseUrl, stored)}}`
}

/** What stands between the brackets of `members`. Ids are of our own making: nothing in them needs escaping. */
export function membersText(baseUrl: string, members: readonly Member[]): string {
  const reference = JSON.stringify(`${baseUrl}/Users/`).slice(0, -1)
  const texts = members.map(({ id, display }) => {
    const name = display === undefined ? '' : `,"display":${JSON.stringify(display)}`
    return `{"value":"${id}","$ref":${reference}${id}"${name},"type":"User"}`
  })
  return texts.join(',')
}

export function locationOf(baseUrl: string, stored: { readonly type: 'User' | 'Group'; readonly id: string }): string {
  return `${baseUrl}/${stored.type}s/${stored.id}`
}

function metaText(baseUrl: string, { type, id, created, modified, version }: StoredResource): string {
  const location = JSON.stringify(`${baseUrl}/${type}s/${id}`)
  return `{"resourceType":"${type}","created":"${created}","lastModified":"${modified}","version":"W/\\"${version}\\"","location":${location}}`
}

export function groupsValue(baseUrl: string, groups: readonly GroupReference[]): JsonObject[] {
  return groups.map((group) => ({
    value: group.id,
    $ref: `${baseUrl}/Groups/${group.id}`,
    ...(group.display === undefined ? {} : { display: group.display }),
    type: 'direct',
  }))
}

export function membersValue(baseUrl: string, members: readonly Member[]): JsonObject[] {
  return members.map((member) => ({
    value: member.id,
    $ref: `${baseUrl}/Users/${member.id}`,
    ...(member.display === undefined ? {} : { display: member.display }),
    type: 'User',
  }))
}

/** What has become of the wish on the platform. */
function provisioningText(view: ProvisioningView): string {
  const { accountId, lastAppliedAt, drift, isUnlinked, operationState, errorMessage } = view
  const isPending = operationState === 'waiting' || operationState === 'running'
  const settled = isUnlinked ? 'held' : 'applied'
  const state = operationState === undefined ? settled : isPending ? 'pending' : operationState
  const letGo = isUnlinked
    ? 'an operator has let go of the account: nothing is written until one is linked again'
    : undefined
  const left = drift.length === 0 ? letGo : `left as it is on the platform: ${drift.join(', ')}`
  return `{"state":"${state}"${field('detail', errorMessage ?? left)}${field('accountId', accountId)}${field('lastAppliedAt', lastAppliedAt)}}`
}

function field(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`
}

export function metaValue(baseUrl: string, stored: StoredResource): JsonObject {
  return {
    resourceType: stored.type,
    created: stored.created,
    lastModified: stored.modified,
    version: etagOf(stored.version),
    location: locationOf(baseUrl, stored),
  }
}
