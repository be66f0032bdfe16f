import { consoleRows } from '../limits.ts'
import { listPeople, searchPeople } from '../operator/people-search.ts'
import { type PersonGrant, readHistory, readPerson } from '../operator/person.ts'
import { errorText, stateText } from '../operator/words.ts'
import type { AuditEntry, Link, Operation } from '../store/store.ts'
import type { ConsoleOptions } from './console.ts'
import { actionWords } from './person-actions.ts'
import type { Page } from './view.ts'
import { chosenConnection, connectionNamed, noSuchPage, numberOf, type Visit, visibleTo } from './visit.ts'

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
      content: { ...found, people, connection: name, names: visibleTo(visit, connections).map(named), text },
    }
  }
}

function named({ name }: { readonly name: string }): string {
  return name
}

/** One person: SCIM beside the account, grants, history, and what may be done. */
export function createPerson({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const connection = connectionNamed(visit, connections, visit.parameters.connection)
    const { name, provision } = connection
    const found = await readPerson(store, connection, visit.parameters.id ?? '')
    if (found === undefined) throw noSuchPage()
    const { id, names: person, link, operation } = found
    const history = await readHistory(store, name, id, numberOf(visit.query.get('before')), consoleRows)
    return {
      title: person.name || person.userName || link?.userName || id,
      template: 'person',
      section: 'people',
      content: {
        connection: name,
        platform: provision.connection.facts.title,
        id,
        person,
        isGroup: found.isGroup,
        isKnown: found.isKnown,
        document: JSON.stringify(found.document, undefined, 2),
        link: link && shownLink(link),
        operation: operation && shownOperation(operation),
        attributes: found.attributes,
        hasAccount: link?.applied !== undefined,
        groups: found.memberships.map(({ groupId, displayName }) => ({ groupId, displayName })),
        grants: found.grants.map(shownGrant),
        history: history.lines.map(shownLine),
        olderThan: history.before,
        actions: found.actions,
        words: actionWords,
      },
    }
  }
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
