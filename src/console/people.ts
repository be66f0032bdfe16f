import { isJsonObject } from '../json.ts'
import { consoleRows } from '../limits.ts'
import { compareUser, explainUser } from '../provision/explain-user.ts'
import type { AuditEntry, Link, Operation } from '../store/store.ts'
import type { ConsoleOptions } from './console.ts'
import { listPeople, personOf, searchPeople } from './people-search.ts'
import { actionsFor, actionWords } from './person-actions.ts'
import type { Page } from './view.ts'
import { chosenConnection, connectionNamed, noSuchPage, numberOf, type Visit, visibleTo } from './visit.ts'
import { errorText, stateText } from './words.ts'

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
    const { provision, name } = connectionNamed(visit, connections, visit.parameters.connection)
    const id = visit.parameters.id ?? ''
    const [user, link, operation] = await Promise.all([
      store.getUser(name, id),
      store.getLink(name, id),
      store.getOperation(name, id),
    ])
    const group = user === undefined ? await store.getResource(name, 'Group', id) : undefined
    // A person who was deleted, or whose create is not done, has a link or an operation still.
    if ([user, group, link, operation].every((one) => one === undefined)) throw noSuchPage()
    const document: unknown = JSON.parse((user?.resource ?? group)?.json ?? '{}')
    if (!isJsonObject(document)) throw new TypeError('a stored document is not a JSON object')
    const memberships = (await store.membershipsOf(name, [id])).get(id) ?? []
    const history = await store.historyOf(name, id, numberOf(visit.query.get('before')), consoleRows + 1)
    const { connection } = provision
    const person = personOf(document)
    return {
      title: person.name || person.userName || link?.userName || id,
      template: 'person',
      section: 'people',
      content: {
        connection: name,
        platform: connection.facts.title,
        id,
        person,
        isGroup: group !== undefined,
        isKnown: user !== undefined || group !== undefined,
        document: JSON.stringify(document, undefined, 2),
        link: link && shownLink(link),
        operation: operation && shownOperation(operation),
        attributes: user === undefined ? [] : compareUser(connection, document, link?.applied ?? {}),
        hasAccount: link?.applied !== undefined,
        groups: memberships.map(({ groupId, displayName }) => ({ groupId, displayName })),
        grants: grantsOf(link, user === undefined ? [] : explainUser(connection, document, memberships).grants),
        history: history.slice(0, consoleRows).map(shownLine),
        olderThan: history.length > consoleRows ? history[consoleRows - 1]?.id : undefined,
        actions: actionsFor(link, operation, user !== undefined),
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

const origins = { giving: 'being given', given: 'given by a membership', found: 'held before; stays' } as const

/** What the account holds for a membership, and what memberships ask for and it does not hold. */
function grantsOf(link: Link | undefined, wanted: readonly object[]) {
  const held = (link?.grants ?? []).map(({ grant, origin }) => ({
    grant: JSON.stringify(grant),
    why: origins[origin],
  }))
  const known = new Set(held.map(({ grant }) => grant))
  const missing = wanted.map((grant) => JSON.stringify(grant)).filter((grant) => !known.has(grant))
  return [...held, ...missing.map((grant) => ({ grant, why: 'asked for, not given' }))]
}

function shownLine({ id, at, event, caller, requestId, detail }: AuditEntry & { readonly id: number }) {
  return { id, at, event, caller, requestId, detail: Object.entries(detail).map(([key, value]) => ({ key, value })) }
}
