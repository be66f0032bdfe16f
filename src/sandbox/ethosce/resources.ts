/** The five resources of the site behind one shape. */
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { accessDenied, done, json, pageNotFound, Refusal, text } from './answers.ts'
import { authmapCollection, createAuthmap, deleteAuthmap, showAuthmap, updateAuthmap } from './authmaps.ts'
import {
  createMembership,
  createNode,
  deleteMembership,
  membershipCollection,
  nodeCollection,
  showMembership,
  showNode,
  updateMembership,
} from './groups.ts'
import {
  createProfile,
  deleteProfile,
  type ProfileFields,
  profileCollection,
  showProfile,
  updateProfile,
} from './profiles.ts'
import { noParent } from './property.ts'
import { type Collection, list } from './query.ts'
import type { AuthmapRow, EthosceState, MembershipRow, NodeRow, ProfileRow, UserRow } from './state.ts'
import { createUser, deleteUser, showUser, updateUser, userCollection } from './users.ts'

/** One call with all that answering it needs. */
export interface Site {
  readonly state: EthosceState
  readonly origin: string
  readonly request: SimulatorRequest
  readonly caller: UserRow
}

type Body = Readonly<Record<string, unknown>>

export interface Resource {
  list(site: Site): SimulatorAnswer
  read(site: Site, id: string): SimulatorAnswer
  create(site: Site, body: Body): SimulatorAnswer
  update(site: Site, id: string | undefined, body: Body): SimulatorAnswer
  remove(site: Site, id: string | undefined): SimulatorAnswer
}

type Parts<Row> = Pick<Resource, 'create'> & {
  readonly collection: Collection<Row>
  readonly rows: ReadonlyMap<number, Row>
  show(row: Row, site: Site): object
  update(site: Site, id: number, body: Body): void
  remove(id: number): void
  mayQuery?(site: Site, property: string): void
  /** Answer to a read of an id that no row has; 200 with an empty list unless given. */
  absent?(id: number): SimulatorAnswer
}

export function createResources(
  state: EthosceState,
  fields: ProfileFields,
  endSessionsOf: (uid: number) => void,
): ReadonlyMap<string, Resource> {
  const user = entity<UserRow>(state, {
    collection: userCollection(state),
    rows: state.users.rows,
    show: (row, site) => showUser(state, site.origin, row, site.caller),
    mayQuery: (site, property) => mayQuery(site.caller, property),
    absent: pageNotFound,
    create: (site, body) => createUser(state, site.origin, body),
    update: (site, id, body) => updateUser(state, id, body, site.caller, { endSessionsOf }),
    remove: (id) => deleteUser(state, id, { endSessionsOf }),
  })
  const authmap = entity<AuthmapRow>(state, {
    collection: authmapCollection(state),
    rows: state.authmap.rows,
    show: showAuthmap,
    create: (site, body) => createAuthmap(state, site.origin, body),
    update: (_site, id, body) => updateAuthmap(state, id, body),
    remove: (id) => deleteAuthmap(state, id),
  })
  const profile2 = entity<ProfileRow>(state, {
    collection: profileCollection(state, fields),
    rows: state.profiles.rows,
    show: (row, site) => showProfile(state, fields, site.origin, row),
    create: (site, body) => createProfile(state, fields, site.origin, body),
    update: (_site, id, body) => updateProfile(state, fields, id, body),
    remove: (id) => deleteProfile(state, id),
  })
  const membership = entity<MembershipRow>(state, {
    collection: membershipCollection(state),
    rows: state.memberships.rows,
    show: (row, site) => showMembership(state, site.origin, row),
    create: (site, body) => createMembership(state, site.origin, body),
    update: (_site, id, body) => updateMembership(state, id, body),
    remove: (id) => deleteMembership(state, id),
  })
  // Courses are no concern of a bridge: its role has no right to change them.
  const refuse = () => {
    throw new Refusal(accessDenied())
  }
  const node = entity<NodeRow>(state, {
    collection: nodeCollection(state),
    rows: state.nodes.rows,
    show: (row, site) => showNode(state, site.origin, row),
    absent: pageNotFound,
    create: (site, body) => createNode(state, site.origin, body),
    update: refuse,
    remove: refuse,
  })
  return new Map([
    ['user', user],
    ['authmap', authmap],
    ['profile2', profile2],
    ['og_membership', membership],
    ['node', node],
  ])
}

function entity<Row>(state: EthosceState, parts: Parts<Row>): Resource {
  return {
    list: (site) =>
      list(
        parts.collection,
        site.request,
        state,
        site.origin,
        (row) => parts.show(row, site),
        (property) => parts.mayQuery?.(site, property),
      ),
    read: (site, id) => {
      const row = parts.rows.get(toId(id))
      if (row === undefined) return parts.absent?.(toId(id)) ?? done
      return id === '0' ? accessDenied() : json(200, parts.show(row, site))
    },
    create: parts.create,
    update: (site, id, body) => {
      if (id === undefined) return withoutId(body)
      parts.update(site, toId(id), body)
      return done
    },
    // Without an id: success, and nothing deleted.
    remove: (_site, id) => {
      if (id !== undefined) parts.remove(toId(id))
      return done
    },
  }
}

/** -1, which no row has, for anything but digits. */
function toId(id: string): number {
  return /^\d{1,15}$/.test(id) ? Number(id) : -1
}

function withoutId(body: Body): SimulatorAnswer {
  const [first] = Object.keys(body)
  if (first === undefined) return done
  throw noParent(first)
}

/** "administer users" is needed for everything but these two. */
function mayQuery(caller: UserRow, property: string): void {
  if (caller.rights === 'full' || property === 'uid' || property === 'name') return
  throw new Refusal(text(403, `Not authorized to query property ${property}`))
}
