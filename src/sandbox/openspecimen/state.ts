/** Users, groups and mails of the imitated OpenSpecimen, with the indices that find them. */

/** Points of OpenSpecimen that nobody could verify. */
export interface OpenspecimenKnobs {
  /** JSON members that the server does not know, for example the old `deptName`. */
  unknownMembers: 'ignored' | 400
  creationDate: 'epoch' | 'text'
  /** Whether assigning the same role a second time makes a second row. */
  sameRoleTwice: 'one row' | 'two rows'
  groupInstituteCode: 'USER_GROUP_USER_NOT_OF_INST' | 'USER_GROUP_USER_NOT_OF_INSTITUTE'
  /** Beginning of the codes of refused sign-ins. */
  authCodePrefix: string
  /** Characters that a column takes; longer values end in a database error. */
  columnLength: number
  /** MySQL compares ignoring case, Oracle does not. */
  database: 'mysql' | 'oracle'
  /** A token whose user was deleted meanwhile. */
  disabledToken: 'refused' | 'works'
  hasUserGroups: boolean
  /** Whether people who are no API users must give a one-time password at sign-in. */
  oneTimePassword: boolean
  /** Where callers come from, for the IP range of API users. */
  callerAddress: string
  /** Order of list rows whose names are equal. */
  equalNames: 'unstable' | 'by id'
  /** Idle time after which a token ends. */
  tokenIdleMs: number
  /** Consecutive wrong passwords until a user is locked. */
  allowedFailedLogins: number
  /** Sessions side by side; the oldest ends. 0 means no limit. */
  maxLoginSessions: number
  /** Whether `users_created` and `users_op_notif` are sent. */
  mailsOnCreate: boolean
}

export const defaultKnobs: Readonly<OpenspecimenKnobs> = Object.freeze({
  unknownMembers: 'ignored',
  creationDate: 'epoch',
  sameRoleTwice: 'two rows',
  groupInstituteCode: 'USER_GROUP_USER_NOT_OF_INST',
  authCodePrefix: 'AUTH',
  columnLength: 255,
  database: 'mysql',
  disabledToken: 'refused',
  hasUserGroups: true,
  oneTimePassword: false,
  callerAddress: '127.0.0.1',
  equalNames: 'unstable',
  tokenIdleMs: 60 * 60_000,
  allowedFailedLogins: 5,
  maxLoginSessions: 0,
  mailsOnCreate: true,
})

export type UserType = 'SUPER' | 'INSTITUTE' | 'NONE' | 'CONTACT'
export type ActivityStatus = 'Active' | 'Locked' | 'Expired' | 'Pending' | 'Closed' | 'Disabled'

export interface RoleAssignment {
  readonly id: number
  role: string
  site?: string
  /** Short title. */
  collectionProtocol?: string
  /** The row that the type INSTITUTE brings along. */
  readonly systemRole: boolean
}

/** What a caller can write. */
export interface UserFields {
  firstName: string
  lastName: string
  emailAddress: string
  domainName: string
  loginName: string
  instituteName: string
  primarySite: string | undefined
  type: UserType
  phoneNumber: string | undefined
  address: string | undefined
  timeZone: string | undefined
  manageForms: boolean
  manageWfs: boolean
  managePrintJobs: boolean
  dnd: boolean
  apiUser: boolean
  ipRange: string | undefined
  defaultPrinter: string | undefined
  downloadLabelsPrintFile: boolean
  activityStatus: ActivityStatus
}

export interface OpenspecimenUser extends UserFields {
  readonly id: number
  readonly createdAt: number
  password: string | undefined
  forcePasswordReset: boolean
  failedLogins: number
  roles: RoleAssignment[]
  /** What refers to the user (`site`, `collection_protocol`, `distribution_protocol`, `specimen`) → how often. */
  readonly dependents: Map<string, number>
}

export interface UserGroup {
  readonly id: number
  name: string
  description: string
  institute: string
  activityStatus: 'Active' | 'Disabled'
  readonly users: Set<number>
}

export interface Mail {
  readonly template: string
  readonly to: string
}

export type NewUser = Partial<Omit<OpenspecimenUser, 'id' | 'createdAt' | 'dependents' | 'roles'>>

export interface OpenspecimenState {
  readonly users: ReadonlyMap<number, OpenspecimenUser>
  readonly groups: Map<number, UserGroup>
  readonly mails: Mail[]
  now(): number
  nextId(): number
  /** Later ids are so much higher, as on a platform that has had more accounts. */
  skipIds(count: number): void
  /** Equal texts are equal to the database. */
  fold(text: string): string
  /** Adds without any check. */
  add(fields: UserFields): OpenspecimenUser
  /** Changes without any check and keeps the indices right. */
  change(user: OpenspecimenUser, change: Partial<OpenspecimenUser>): void
  byLogin(loginName: string, domainName: string): OpenspecimenUser[]
  byEmail(emailAddress: string): OpenspecimenUser[]
  groupByName(name: string): UserGroup | undefined
  mail(template: string, recipients: Iterable<OpenspecimenUser>): void
  /** Super administrators and administrators of the institute. */
  administratorsOf(instituteName: string): OpenspecimenUser[]
}

/** Mails kept; older ones are forgotten. */
const maxMails = 10_000

export function createState(knobs: OpenspecimenKnobs, now: () => number): OpenspecimenState {
  const users = new Map<number, OpenspecimenUser>()
  const idsByLogin = new Map<string, Set<number>>()
  const idsByEmail = new Map<string, Set<number>>()
  const groups = new Map<number, UserGroup>()
  const mails: Mail[] = []
  let lastId = 0

  const fold = (text: string) => (knobs.database === 'mysql' ? text.toLowerCase() : text)
  const loginKey = (loginName: string, domainName: string) => JSON.stringify([fold(loginName), domainName])
  const enter = (user: OpenspecimenUser) => {
    file(idsByLogin, loginKey(user.loginName, user.domainName), user.id)
    file(idsByEmail, fold(user.emailAddress), user.id)
  }
  const leave = (user: OpenspecimenUser) => {
    idsByLogin.get(loginKey(user.loginName, user.domainName))?.delete(user.id)
    idsByEmail.get(fold(user.emailAddress))?.delete(user.id)
  }
  const present = (ids: Iterable<number> | undefined) =>
    [...(ids ?? [])].flatMap((id) => users.get(id) ?? []).filter((user) => user.activityStatus !== 'Disabled')

  return {
    users,
    groups,
    mails,
    now,
    fold,
    nextId: () => {
      lastId += 1
      return lastId
    },
    skipIds(count) {
      lastId += count
    },
    add(fields) {
      lastId += 1
      const user: OpenspecimenUser = {
        ...fields,
        id: lastId,
        createdAt: now(),
        password: undefined,
        forcePasswordReset: fields.type !== 'CONTACT',
        failedLogins: 0,
        roles: [],
        dependents: new Map(),
      }
      users.set(user.id, user)
      enter(user)
      return user
    },
    change(user, change) {
      leave(user)
      Object.assign(user, change)
      enter(user)
    },
    byLogin: (loginName, domainName) => present(idsByLogin.get(loginKey(loginName, domainName))),
    byEmail: (emailAddress) => present(idsByEmail.get(fold(emailAddress))),
    groupByName: (name) =>
      [...groups.values()].find((group) => group.activityStatus === 'Active' && fold(group.name) === fold(name)),
    mail(template, recipients) {
      for (const user of new Set(recipients)) mails.push({ template, to: user.emailAddress })
      if (mails.length > maxMails) mails.splice(0, mails.length - maxMails)
    },
    administratorsOf: (instituteName) =>
      [...users.values()].filter(
        (user) =>
          user.activityStatus === 'Active' &&
          (user.type === 'SUPER' || (user.type === 'INSTITUTE' && user.instituteName === instituteName)),
      ),
  }
}

function file(index: Map<string, Set<number>>, key: string, id: number): void {
  const ids = index.get(key)
  if (ids === undefined) index.set(key, new Set([id]))
  else ids.add(id)
}

/** Somebody for a test to change; the number keeps two of them apart. */
export function blankUser(number: number): UserFields {
  return {
    firstName: 'First',
    lastName: `Last ${number}`,
    emailAddress: `user${number}@openspecimen.example`,
    domainName: 'openspecimen',
    loginName: `user${number}`,
    instituteName: 'Example University',
    primarySite: undefined,
    type: 'NONE',
    phoneNumber: undefined,
    address: undefined,
    timeZone: undefined,
    manageForms: false,
    manageWfs: false,
    managePrintJobs: false,
    dnd: false,
    apiUser: false,
    ipRange: undefined,
    defaultPrinter: undefined,
    downloadLabelsPrintFile: false,
    activityStatus: 'Active',
  }
}
