import { consoleRows } from '../limits.ts'
import type { OperatedConnection, OperatedStore } from '../operator/connection.ts'
import { type GroupPage, readGroup } from '../operator/group.ts'
import { listPeople, searchPeople } from '../operator/people-search.ts'
import {
  accountOf,
  type Person,
  type PersonGrant,
  type ReadAgain,
  readAgain,
  readHistory,
  readPerson,
} from '../operator/person.ts'
import { errorText, notReadText, stateText } from '../operator/words.ts'
import type { AuditEntry, Link, Operation } from '../store/store.ts'
import type { ConsoleOptions } from './console.ts'
import { actionWords } from './person-actions.ts'
import type { Page } from './view.ts'
import {
  type Connections,
  chosenConnection,
  connectionNamed,
  noSuchPage,
  numberOf,
  type Visit,
  visibleTo,
} from './visit.ts'

/** Longer texts are nobody's name. */
const searchLength = 256

/** People of one connection, all or those that fit a text. */
export function createPeople({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name } = chosenConnection(visit, connections)
    const text = (visit.query.get('q') ?? '').trim().slice(0, searchLength)
    const found =
      text === ''
        ? await listPeople(store, name, numberOf(visit.query.get('after')) ?? 0)
        : await searchPeople(store, name, text)
    const people = found.people.map((person) => ({
      ...person,
      state: stateText(person.provisioning?.operationState),
      accountId: person.provisioning?.accountId,
    }))
    return {
      title: 'People',
      template: 'people',
      section: 'people',
      content: {
        ...found,
        people,
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        text,
      },
    }
  }
}

/** One person: SCIM beside the account, grants, history, and what may be done; or one group, with its members. */
export function createPerson({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { connection, person } = await named(visit, connections, store)
    return personPage(visit, store, connection, person, undefined)
  }
}

/** The same with the account as it is on the platform now. */
export function createReadAgain({ connections, store, clock }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { connection, person } = await named(visit, connections, store)
    return personPage(visit, store, connection, person, await readAgain(connection, person, clock))
  }
}

async function named(visit: Visit, connections: Connections, store: OperatedStore) {
  const connection = connectionNamed(visit, connections, visit.parameters.connection)
  const person = await readPerson(store, connection, visit.parameters.id ?? '')
  if (person === undefined) throw noSuchPage()
  return { connection, person }
}

async function personPage(
  { query }: Visit,
  store: OperatedStore,
  connection: OperatedConnection,
  person: Person,
  again: ReadAgain | undefined,
): Promise<Page> {
  const { id, names, link, operation, isGroup } = person
  const { name, provision } = connection
  const { title: platform } = provision.connection.facts
  const history = await readHistory(store, name, id, numberOf(query.get('before')), consoleRows)
  const membersAfter = (query.get('members') ?? '').slice(0, searchLength)
  return {
    title: names.name || names.userName || link?.userName || id,
    template: 'person',
    section: 'people',
    content: {
      connection: name,
      platform,
      id,
      person: names,
      isGroup,
      isKnown: person.isKnown,
      document: JSON.stringify(person.document, undefined, 2),
      link: link && shownLink(link),
      operation: operation && shownOperation(operation),
      attributes: again !== undefined && again.attributes.length > 0 ? again.attributes : person.attributes,
      hasAccount: link?.applied !== undefined || again?.fresh.kind === 'read',
      mayRead: accountOf(link) !== undefined,
      again: again && { at: again.at, problem: notReadText(again.fresh, platform) },
      group: isGroup ? shownGroup(await readGroup(store, connection, person, membersAfter, consoleRows)) : undefined,
      groups: person.memberships.map(({ groupId, displayName }) => ({ groupId, displayName })),
      grants: person.grants.map(shownGrant),
      history: history.lines.map(shownLine),
      olderThan: history.before,
      actions: person.actions,
      words: actionWords,
    },
  }
}

function shownGroup({ gifts, members, ...rest }: GroupPage) {
  return {
    ...rest,
    as: gifts.as,
    platformGroup: gifts.platformGroup,
    grants: gifts.grants.map((grant) => JSON.stringify(grant)),
    members: members.map((member) => ({
      ...member,
      accountId: member.provisioning?.accountId,
      state: stateText(member.provisioning?.operationState),
      held: heldText(member.held, gifts.keys.size),
    })),
  }
}

function heldText(held: number, wanted: number): string {
  if (wanted === 0) return 'nothing to give'
  if (held === 0) return 'not given'
  return held < wanted ? `${held} of ${wanted} given` : 'given'
}

const linkStates = { proposed: 'being made', live: 'linked', tombstone: 'deleted' } as const

function shownLink({ state, accountId, lastAppliedAt, drift, externalId, userName, deletedAt }: Link) {
  return { state: linkStates[state], accountId, lastAppliedAt, drift, externalId, userName, deletedAt }
}

function shownOperation(operation: Operation) {
  return {
    kind: operation.kind,
    state: stateText(operation.state),
    attempts: operation.attempts,
    nextAt: operation.state === 'waiting' ? operation.dueAt : undefined,
    error: operation.errorKind === undefined ? undefined : errorText(operation.errorKind),
    detail: operation.errorMessage,
    requestId: operation.requestId,
    caller: operation.caller,
    createdAt: operation.createdAt,
    isDeprovisioning: operation.isDeprovisioning,
  }
}

const origins: Readonly<Record<PersonGrant['origin'], string>> = {
  giving: 'being given',
  given: 'given by a membership',
  found: 'held before; stays',
  missing: 'asked for, not given',
}

function shownGrant({ grant, origin }: PersonGrant) {
  return { grant: JSON.stringify(grant), why: origins[origin] }
}

function shownLine({ id, at, event, caller, requestId, detail }: AuditEntry & { readonly id: number }) {
  return { id, at, event, caller, requestId, detail: Object.entries(detail).map(([key, value]) => ({ key, value })) }
}
