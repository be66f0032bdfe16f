/** The rows of the imitated site, with the indices that keep look-ups fast. */

/** Points of EthosCE that nobody could verify, and switches of a site. */
export interface EthosceKnobs {
  /** Answer to an authname that is taken. */
  duplicateAuthname: 500 | 406 | 409
  /** Whether PUT and DELETE of authmap exist. */
  authmapWrites: boolean
  /** `stock` reads `uid[gt]=1` as a list of values. */
  operators: 'ethosce' | 'stock'
  /** Whether references carry a `uuid`. */
  uuid: boolean
  /** Answer to a mail that another user has. */
  duplicateMail: 201 | 406
  /** Whether the 500 page shows the database's error. */
  showsErrors: boolean
  /** Fixed for a site's life: rows are indexed by it. */
  readonly collation: 'case-and-accents' | 'case' | 'binary'
  /** Whether the database is utf8mb4. */
  fourByteText: boolean
  /** Whether deleting a user with two profiles dies. */
  twoProfilesDie: boolean
  /** A PUT to a user in a group that the service account is not in is refused. */
  groupTrap: boolean
  pageLimit: number
  /** 302 to the front page for everything. */
  maintenance: boolean
  /** Calls a second that are answered; more get `throttleStatus`. */
  callsPerSecond: number
  throttleStatus: 429 | 503
}

export const defaultKnobs: Readonly<EthosceKnobs> = Object.freeze({
  duplicateAuthname: 500,
  authmapWrites: true,
  operators: 'ethosce',
  uuid: false,
  duplicateMail: 201,
  showsErrors: false,
  collation: 'case-and-accents',
  fourByteText: false,
  twoProfilesDie: true,
  groupTrap: true,
  pageLimit: 100,
  maintenance: false,
  callsPerSecond: Number.POSITIVE_INFINITY,
  throttleStatus: 429,
})

/** `restws`: what the role of the web service may do. `limited` lacks "administer users". */
export type Rights = 'full' | 'limited' | 'none'

export interface UserRow {
  readonly uid: number
  name: string
  mail: string
  status: number
  roles: number[]
  readonly created: number
  login: number
  password?: string
  rights: Rights
}
export interface AuthmapRow {
  readonly aid: number
  uid: number
  authname: string
  module: string
}
export interface ProfileRow {
  readonly pid: number
  type: string
  label: string
  user: number | undefined
  readonly created: number
  changed: number
  readonly fields: Map<string, string | null>
  location: LocationRow | undefined
}
export interface LocationRow {
  readonly lid: number
  readonly street: string | null
  readonly additional: string | null
  readonly city: string | null
  readonly province: string | null
  readonly postal_code: string | null
  readonly country: string
}
export interface NodeRow {
  readonly nid: number
  readonly type: string
  readonly title: string
  readonly author: number
  readonly status: number
  readonly created: number
}
export interface MembershipRow {
  readonly id: number
  readonly node: number
  readonly user: number
  state: number
  readonly created: number
}
export interface SentMail {
  readonly key: 'user_status_activated'
  readonly to: string
  readonly subject: string
}

/** One kind of row by its id; ids are given out once and never again. */
export interface Table<Row> {
  readonly rows: Map<number, Row>
  /** The next id; taken also by an insert that the database then refuses. */
  takeId(): number
  /** Later ids are so much higher, as on a platform that has had more accounts. */
  skipIds(count: number): void
}

function createTable<Row>(): Table<Row> {
  let last = 0
  return {
    rows: new Map(),
    takeId: () => {
      last += 1
      return last
    },
    skipIds(count) {
      last += count
    },
  }
}

/** Ids of rows by a key; keys of rows that changed have to be moved. */
export interface Index<Key> {
  get(key: Key): ReadonlySet<number>
  add(key: Key, id: number): void
  remove(key: Key, id: number): void
}

const nothing: ReadonlySet<number> = new Set()

function createIndex<Key>(): Index<Key> {
  const ids = new Map<Key, Set<number>>()
  return {
    get: (key) => ids.get(key) ?? nothing,
    add(key, id) {
      const present = ids.get(key)
      if (present === undefined) ids.set(key, new Set([id]))
      else present.add(id)
    },
    remove(key, id) {
      const present = ids.get(key)
      present?.delete(id)
      if (present?.size === 0) ids.delete(key)
    },
  }
}

export interface EthosceState {
  readonly users: Table<UserRow>
  readonly authmap: Table<AuthmapRow>
  readonly profiles: Table<ProfileRow>
  readonly nodes: Table<NodeRow>
  readonly memberships: Table<MembershipRow>
  /** Addresses live in their profile's row; the table only gives out their ids. */
  readonly locations: Table<LocationRow>
  readonly usersByName: Index<string>
  readonly usersByMail: Index<string>
  readonly authmapByName: Index<string>
  readonly authmapByUser: Index<number>
  readonly profilesByUser: Index<number>
  readonly membershipsByUser: Index<number>
  readonly mails: SentMail[]
  readonly knobs: EthosceKnobs
  /** Ids of the site's roles; others are dropped without a word. */
  readonly roles: ReadonlySet<number>
  /** How the database compares text: the key under which equal texts meet. */
  fold(value: string): string
  /** Unix seconds. */
  seconds(): number
}

export function createState(knobs: EthosceKnobs, roles: ReadonlySet<number>, now: () => number): EthosceState {
  return {
    users: createTable(),
    authmap: createTable(),
    profiles: createTable(),
    nodes: createTable(),
    memberships: createTable(),
    locations: createTable(),
    usersByName: createIndex(),
    usersByMail: createIndex(),
    authmapByName: createIndex(),
    authmapByUser: createIndex(),
    profilesByUser: createIndex(),
    membershipsByUser: createIndex(),
    mails: [],
    knobs,
    roles,
    fold: (value) => {
      if (knobs.collation === 'binary') return value
      // utf8_general_ci pads: trailing spaces never count.
      const caseless = value.replace(/ +$/, '').toLowerCase()
      return knobs.collation === 'case' ? caseless : caseless.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC')
    },
    seconds: () => Math.floor(now() / 1000),
  }
}
