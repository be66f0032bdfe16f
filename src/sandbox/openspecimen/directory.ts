/** What the imitated biobank consists of: institutes, sites, protocols, roles and authentication domains. */

import type { SimulatorAnswer } from '../simulator.ts'
import { json, refusal } from './answers.ts'
import { listOf, numberOf } from './input.ts'
import { contains } from './like.ts'

export interface Institute {
  readonly id: number
  readonly name: string
}

export interface Site {
  readonly id: number
  readonly name: string
  readonly instituteName: string
}

export interface CollectionProtocol {
  readonly id: number
  readonly title: string
  readonly shortTitle: string
  readonly sites: readonly string[]
}

export interface Role {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly acl: readonly { readonly resource: string; readonly operations: readonly string[] }[]
}

export interface AuthDomain {
  readonly id: number
  readonly name: string
  readonly type: 'openspecimen' | 'saml' | 'ldap' | 'oauth'
}

/** Maps by name; tests add to them and take away from them. */
export interface Directory {
  readonly institutes: Map<string, Institute>
  readonly sites: Map<string, Site>
  /** By short title. */
  readonly collectionProtocols: Map<string, CollectionProtocol>
  readonly roles: Map<string, Role>
  readonly domains: Map<string, AuthDomain>
  readonly printers: Set<string>
}

/** As the database compares names: MySQL ignores case, and what is found keeps its own spelling. */
export function rowNamed<Row>(
  rows: ReadonlyMap<string, Row>,
  name: string,
  database: 'mysql' | 'oracle',
): Row | undefined {
  const exact = rows.get(name)
  if (exact !== undefined || database === 'oracle') return exact
  return [...rows].find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1]
}

const everything = ['Create', 'Read', 'Update', 'Delete']

export function createDirectory(): Directory {
  const institutes = ['Example University', 'Example Hospital']
  const sites = [
    ['Main Biobank', 'Example Hospital'],
    ['Pathology Store', 'Example Hospital'],
    ['University Biobank', 'Example University'],
  ] as const
  const roles = [
    ['Administrator', 'All rights in the institute', ['User', 'Site', 'Specimen']],
    ['Coordinator', 'Plans visits and registers participants', ['Specimen']],
    ['Technician', 'Processes specimens', ['Specimen']],
    ['Researcher', 'Searches and requests specimens', ['Query']],
    ['User Administrator', 'Manages the users of the institute', ['User']],
  ] as const
  const domains = [
    ['openspecimen', 'openspecimen'],
    ['example-saml', 'saml'],
    ['example-ldap', 'ldap'],
    ['example-oidc', 'oauth'],
  ] as const
  return {
    institutes: new Map(institutes.map((name, index) => [name, { id: index + 1, name }])),
    sites: new Map(sites.map(([name, instituteName], index) => [name, { id: index + 1, name, instituteName }])),
    collectionProtocols: new Map([
      ['CRC', { id: 1, title: 'Colorectal cancer collection', shortTitle: 'CRC', sites: ['Main Biobank'] }],
      ['TWINS', { id: 2, title: 'Twin cohort', shortTitle: 'TWINS', sites: ['University Biobank', 'Main Biobank'] }],
    ]),
    roles: new Map(
      roles.map(([name, description, resources], index) => [
        name,
        { id: index + 1, name, description, acl: resources.map((resource) => ({ resource, operations: everything })) },
      ]),
    ),
    domains: new Map(domains.map(([name, type], index) => [name, { id: index + 1, name, type }])),
    printers: new Set(['Label printer 1']),
  }
}

export function listInstitutes(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  const ids = new Set(listOf(query, 'id').map(Number))
  const named = byName([...directory.institutes.values()], query)
  const rows = named.filter((institute) => ids.size === 0 || ids.has(institute.id))
  return json(page(rows, query).map(showInstitute))
}

export function instituteByName(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  const institute = directory.institutes.get(query.get('name') ?? '')
  if (institute === undefined) throw refusal('INSTITUTE_NOT_FOUND')
  return json(showInstitute(institute))
}

export function showInstitute(institute: Institute) {
  return { ...institute, activityStatus: 'Active' }
}

export function listSites(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  const names = listOf(query, 'name')
  const institute = query.get('institute')
  const sites = [...directory.sites.values()].filter((site) => institute === null || site.instituteName === institute)
  // Several names are a list of exact ones; a single one is a search.
  const named = names.length > 1 ? sites.filter((site) => names.includes(site.name)) : byName(sites, query)
  return json(page(named, query).map(showSite))
}

export function siteByName(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  const site = directory.sites.get(query.get('name') ?? '')
  if (site === undefined) throw refusal('SITE_NOT_FOUND')
  return json(showSite(site))
}

function showSite(site: Site) {
  return { ...site, type: 'Repository', activityStatus: 'Active' }
}

export function listRoles(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  return json(page(byName([...directory.roles.values()], query), query))
}

export function listDomains(directory: Directory, query: URLSearchParams): SimulatorAnswer {
  const rows = [...directory.domains.values()].slice(0, numberOf(query, 'maxResults', 1000))
  return json(rows.map((domain) => ({ ...domain, allowLogins: true })))
}

function byName<Row extends { readonly name: string }>(rows: readonly Row[], query: URLSearchParams): Row[] {
  const name = query.get('name') ?? ''
  const isExact = query.get('exactMatch') === 'true'
  return rows
    .filter(
      (row) => name === '' || (isExact ? row.name.toLowerCase() === name.toLowerCase() : contains(row.name, name)),
    )
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Everything but users pages by `startAt`. */
export function page<Row>(rows: readonly Row[], query: URLSearchParams): Row[] {
  const start = Math.max(0, numberOf(query, 'startAt', 0))
  return rows.slice(start, start + Math.max(0, numberOf(query, 'maxResults', 100)))
}
