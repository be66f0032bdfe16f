/** HAL resources and pages. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, hal } from './answers.ts'
import type { Call } from './call.ts'
import { type EPerson, type Group, type Metadata, textOf } from './state.ts'

const defaultSize = 20

export function showPerson(call: Call, person: EPerson) {
  const self = `${call.baseUrl}/api/eperson/epersons/${person.uuid}`
  return {
    id: person.uuid,
    uuid: person.uuid,
    name: nameOf(person),
    handle: null,
    metadata: showMetadata(person.metadata),
    netid: person.netid,
    lastActive: person.lastActive === undefined ? null : toDate(person.lastActive),
    canLogIn: person.canLogIn,
    email: person.email,
    requireCertificate: person.requireCertificate,
    selfRegistered: person.selfRegistered,
    type: 'eperson',
    _links: { self: { href: self }, groups: { href: `${self}/groups` } },
    ...embedded(call, person),
  }
}

export function nameOf(person: EPerson): string {
  const name = `${textOf(person.metadata, 'eperson.firstname')} ${textOf(person.metadata, 'eperson.lastname')}`.trim()
  return name === '' ? person.email : name
}

/** `embed=groups`, with as many of them as `embed.size=groups=<n>` says. */
function embedded(call: Call, person: EPerson) {
  const names = call.request.query.getAll('embed').flatMap((value) => value.split(','))
  if (!names.includes('groups')) return {}
  const asked = call.request.query.getAll('embed.size').flatMap((value) => value.split(','))
  const size = asked.map((value) => /^groups=(\d+)$/.exec(value)?.[1]).find((value) => value !== undefined)
  const groups = groupsOf(call, person)
  const path = `/api/eperson/epersons/${person.uuid}/groups`
  return {
    _embedded: {
      groups: pageOf(call, 'groups', groups, (group) => showGroup(call, group), path, 0, sizeOf(call, size)),
    },
  }
}

export function groupsOf(call: Call, person: EPerson): Group[] {
  return [...person.groups].flatMap((uuid) => call.state.groups.get(uuid) ?? [])
}

export function showGroup(call: Call, group: Group) {
  const self = `${call.baseUrl}/api/eperson/groups/${group.uuid}`
  return {
    id: group.uuid,
    uuid: group.uuid,
    name: group.name,
    handle: null,
    metadata: showMetadata(group.metadata),
    permanent: group.permanent,
    type: 'group',
    _links: {
      self: { href: self },
      epersons: { href: `${self}/epersons` },
      subgroups: { href: `${self}/subgroups` },
      object: { href: `${self}/object` },
    },
  }
}

function showMetadata(metadata: Metadata): object {
  return Object.fromEntries(
    [...metadata].map(([field, values]) => [field, values.map((value, place) => ({ ...value, place }))]),
  )
}

function toDate(at: number): string {
  return new Date(at).toISOString().replace('Z', '+00:00')
}

/** The page that the query asks for. */
export function page<Row>(
  call: Call,
  relation: string,
  rows: readonly Row[],
  show: (row: Row) => object,
): SimulatorAnswer {
  const { query, path } = call.request
  const number = Number(/^\d{1,9}$/.exec(query.get('page') ?? '')?.[0] ?? 0)
  const others = new URLSearchParams([...query].filter(([name]) => name !== 'page' && name !== 'size'))
  const target = others.size === 0 ? path : `${path}?${others}`
  return hal(200, pageOf(call, relation, rows, show, target, number, sizeOf(call, query.get('size'))))
}

function sizeOf(call: Call, asked: string | null | undefined): number {
  const size = Number(/^\d{1,9}$/.exec(asked ?? '')?.[0] ?? defaultSize)
  return Math.min(size === 0 ? defaultSize : size, call.knobs.pageCap)
}

function pageOf<Row>(
  call: Call,
  relation: string,
  rows: readonly Row[],
  show: (row: Row) => object,
  target: string,
  number: number,
  size: number,
): object {
  const shown = rows.slice(number * size, (number + 1) * size).map(show)
  const totalPages = Math.ceil(rows.length / size)
  const start = `${call.baseUrl}${target}${target.includes('?') ? '&' : '?'}`
  const link = (at: number) => ({ href: `${start}page=${at}&size=${size}` })
  return {
    // Absent, not an empty list, when there is nothing.
    ...(shown.length === 0 ? {} : { _embedded: { [relation]: shown } }),
    _links: {
      self: link(number),
      ...(totalPages > 1 ? { first: link(0), last: link(totalPages - 1) } : {}),
      ...(number > 0 ? { prev: link(number - 1) } : {}),
      ...(number + 1 < totalPages ? { next: link(number + 1) } : {}),
    },
    page: { size, totalElements: rows.length, totalPages, number },
  }
}

/** A query parameter without which Spring answers 400. */
export function parameter(call: Call, name: string): string {
  const value = call.request.query.get(name)
  if (value === null) throw badRequest(`Required request parameter '${name}' is not present`)
  return value
}
