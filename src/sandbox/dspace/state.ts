/** The people, groups and submissions of the imitated repository. */
import { randomUUID } from 'node:crypto'

export interface MetadataValue {
  readonly value: string
  readonly language: string | null
  readonly authority: string | null
  readonly confidence: number
}
/** Field (`eperson.firstname`) → values in their order. */
export type Metadata = Map<string, readonly MetadataValue[]>

export interface EPerson {
  readonly uuid: string
  /** Always lower case; indexed, so changed by `change` only. */
  email: string
  /** Indexed, so changed by `change` only. */
  netid: string | null
  metadata: Metadata
  canLogIn: boolean
  requireCertificate: boolean
  readonly selfRegistered: boolean
  password: string | undefined
  /** Last sign-in or refresh, milliseconds. */
  lastActive: number | undefined
  /** Part of the key of this person's JWTs. */
  sessionSalt: string | undefined
  /** Uuids of the groups that list this person. */
  readonly groups: Set<string>
}

export interface NewEPerson {
  readonly email: string
  readonly netid?: string | null
  readonly metadata?: Metadata
  readonly firstName?: string
  readonly lastName?: string
  /** Default false, as in DSpace. */
  readonly canLogIn?: boolean
  readonly requireCertificate?: boolean
  readonly selfRegistered?: boolean
  readonly password?: string
}

export interface Group {
  readonly uuid: string
  /** Indexed, so changed by `rename` only. */
  name: string
  metadata: Metadata
  /** Administrator and Anonymous. */
  readonly permanent: boolean
  /** The collection or community whose role this is. */
  readonly object: RoleObject | undefined
  readonly isWorkflow: boolean
  /** Whether open workflow tasks wait for its members. */
  hasTasks: boolean
  readonly members: Set<string>
  readonly subgroups: Set<string>
}

export interface RoleObject {
  readonly uuid: string
  readonly name: string
  readonly type: 'collection' | 'community'
}

export interface NewGroup {
  readonly name: string
  readonly metadata?: Metadata
  readonly permanent?: boolean
  readonly object?: RoleObject
  readonly isWorkflow?: boolean
  readonly hasTasks?: boolean
}

/** An item: a draft in somebody's workspace, or archived. */
export interface Item {
  readonly uuid: string
  readonly kind: 'draft' | 'archived'
  submitter: string | null
}

export interface DspaceState {
  readonly epersons: ReadonlyMap<string, EPerson>
  readonly groups: ReadonlyMap<string, Group>
  readonly items: Map<string, Item>
  /** Ignores case. */
  byEmail(email: string): EPerson | undefined
  /** Minds case. */
  byNetid(netid: string): EPerson | undefined
  byName(group: string): Group | undefined
  /** All people, by e-mail. */
  sorted(): readonly EPerson[]
  /** The next four make no check; callers look at the unique columns first. */
  add(person: NewEPerson): EPerson
  change(person: EPerson, columns: { readonly email?: string; readonly netid?: string }): void
  addGroup(group: NewGroup): Group
  rename(group: Group, name: string): void
  /** Deletes drafts and memberships, and takes the submitter off archived items. */
  remove(person: EPerson): void
  removeGroup(group: Group): void
  join(group: Group, person: EPerson): void
  leave(group: Group, person: EPerson): void
  addItem(kind: Item['kind'], submitter: string): Item
}

export const administratorGroup = 'Administrator'
export const anonymousGroup = 'Anonymous'

export function plainValue(value: string): MetadataValue {
  return { value, language: null, authority: null, confidence: -1 }
}

export function textOf(metadata: Metadata, field: string): string {
  return metadata.get(field)?.[0]?.value ?? ''
}

export function createState(): DspaceState {
  const epersons = new Map<string, EPerson>()
  const emails = new Map<string, EPerson>()
  const netids = new Map<string, EPerson>()
  const groups = new Map<string, Group>()
  const names = new Map<string, Group>()
  const items = new Map<string, Item>()
  let sorted: readonly EPerson[] | undefined

  const enter = (person: EPerson) => {
    epersons.set(person.uuid, person)
    emails.set(person.email, person)
    if (person.netid !== null) netids.set(person.netid, person)
    sorted = undefined
    return person
  }
  const forget = (person: EPerson) => {
    epersons.delete(person.uuid)
    emails.delete(person.email)
    if (person.netid !== null) netids.delete(person.netid)
    sorted = undefined
  }

  return {
    epersons,
    groups,
    items,
    byEmail: (email) => emails.get(email.toLowerCase()),
    byNetid: (netid) => netids.get(netid),
    byName: (name) => names.get(name),
    sorted() {
      sorted ??= [...epersons.values()].sort((a, b) => (a.email < b.email ? -1 : 1))
      return sorted
    },
    add(person) {
      const metadata: Metadata = new Map(person.metadata)
      if (person.firstName !== undefined) metadata.set('eperson.firstname', [plainValue(person.firstName)])
      if (person.lastName !== undefined) metadata.set('eperson.lastname', [plainValue(person.lastName)])
      return enter({
        uuid: randomUUID(),
        email: person.email.toLowerCase(),
        netid: person.netid ?? null,
        metadata,
        canLogIn: person.canLogIn ?? false,
        requireCertificate: person.requireCertificate ?? false,
        selfRegistered: person.selfRegistered ?? false,
        password: person.password,
        lastActive: undefined,
        sessionSalt: undefined,
        groups: new Set(),
      })
    },
    change(person, columns) {
      forget(person)
      person.email = (columns.email ?? person.email).toLowerCase()
      person.netid = columns.netid ?? person.netid
      enter(person)
    },
    addGroup(wanted) {
      const group: Group = {
        uuid: randomUUID(),
        name: wanted.name,
        metadata: new Map(wanted.metadata),
        permanent: wanted.permanent ?? false,
        object: wanted.object,
        isWorkflow: wanted.isWorkflow ?? false,
        hasTasks: wanted.hasTasks ?? false,
        members: new Set(),
        subgroups: new Set(),
      }
      groups.set(group.uuid, group)
      names.set(group.name, group)
      return group
    },
    rename(group, name) {
      names.delete(group.name)
      group.name = name
      names.set(name, group)
    },
    remove(person) {
      forget(person)
      for (const uuid of person.groups) groups.get(uuid)?.members.delete(person.uuid)
      for (const item of [...items.values()].filter(({ submitter }) => submitter === person.uuid)) {
        if (item.kind === 'draft') items.delete(item.uuid)
        else item.submitter = null
      }
    },
    removeGroup(group) {
      groups.delete(group.uuid)
      names.delete(group.name)
      for (const other of groups.values()) other.subgroups.delete(group.uuid)
      for (const uuid of group.members) epersons.get(uuid)?.groups.delete(group.uuid)
    },
    join(group, person) {
      group.members.add(person.uuid)
      person.groups.add(group.uuid)
    },
    leave(group, person) {
      group.members.delete(person.uuid)
      person.groups.delete(group.uuid)
    },
    addItem(kind, submitter) {
      const item: Item = { uuid: randomUUID(), kind, submitter }
      items.set(item.uuid, item)
      return item
    },
  }
}
