import { adminHistoryLines } from '../limits.ts'
import type { OperatedConnection, OperatedStore } from '../operator/connection.ts'
import { readGroup } from '../operator/group.ts'
import { type FoundPerson, listPeople, searchPeople } from '../operator/people-search.ts'
import { accountOf, type History, type Person, readAgain, readHistory, readPerson } from '../operator/person.ts'
import { actOnPerson, type PersonAction } from '../operator/person-actions.ts'
import { errorText, notReadText } from '../operator/words.ts'
import type { ComparedAttribute } from '../provision/explain-user.ts'
import type { Link, Operation } from '../store/store.ts'
import { doneAnswer, timeOf } from './done.ts'
import { type Choices, readOrder } from './order.ts'
import { writeCursor } from './parameters.ts'
import { AdminProblem } from './problems.ts'
import { type AdminOptions, type AdminVisit, connectionOf, noSuch } from './visit.ts'

/** All of them page by page, or those that fit a text: at most one page, and `isCut` says that more fit. */
export function createPeople({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const { query } = visit
    const text = query.text('search')
    const [limit, after] = [query.limit(), query.number('people')]
    const found =
      text === undefined ? await listPeople(store, name, after ?? 0, limit) : await searchPeople(store, name, text)
    const people = found.people.slice(0, limit)
    return {
      items: people.map(shownFound),
      isCut: found.isCut || people.length < found.people.length,
      next: writeCursor('people', found.nextSeq),
    }
  }
}

function shownFound({ id, userName, name, email, active, provisioning }: FoundPerson): object {
  return {
    id,
    userName,
    name,
    email,
    active,
    accountId: provisioning?.accountId,
    lastAppliedAt: provisioning?.lastAppliedAt,
    state: provisioning?.operationState ?? 'applied',
  }
}

/** By id, or by userName. */
export function createPerson({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const connection = connectionOf(visit, options)
    const person = await personOf(store, connection, visit.path.get('person') ?? '')
    const history = await readHistory(store, connection.name, person.id, undefined, adminHistoryLines)
    return shownPerson(connection.name, person, history)
  }
}

export function createHistory({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const connection = connectionOf(visit, options)
    const { query } = visit
    const [limit, before] = [query.limit(), query.number('history')]
    const { id } = await personOf(store, connection, visit.path.get('person') ?? '')
    return shownHistory(await readHistory(store, connection.name, id, before, limit))
  }
}

/** What membership in a group gives, and its members page by page. */
export function createMembers({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const connection = connectionOf(visit, options)
    const { query } = visit
    const [limit, after] = [query.limit(), query.key('members') ?? '']
    const group = await personOf(store, connection, visit.path.get('person') ?? '')
    if (!group.isGroup) throw noSuch('group')
    const { gifts, count, members, next } = await readGroup(store, connection, group, after, limit)
    const { as, grants, platformGroup, keys } = gifts
    return {
      gives: { as, grants, platformGroup },
      count,
      items: members.map((member) => ({ ...shownFound(member), held: member.held, wanted: keys.size })),
      next: writeCursor('members', next),
    }
  }
}

/** The account as it is on the platform now; nothing of it is stored. */
export function createAccount({ store, clock, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const connection = connectionOf(visit, { connections: options.connections })
    const person = await personOf(store, connection, visit.path.get('person') ?? '')
    const again = await readAgain(connection, person, clock)
    if (again === undefined) throw new AdminProblem('no_account', 'There is no account that could be read.')
    const { fresh, at, attributes } = again
    const { title } = connection.provision.connection.facts
    if (fresh.kind !== 'read' && fresh.kind !== 'gone') {
      throw new AdminProblem('platform_away', notReadText(fresh, title) ?? '')
    }
    return {
      accountId: accountOf(person.link),
      at: timeOf(at),
      isThere: fresh.kind === 'read',
      protectedBecause: fresh.kind === 'read' ? fresh.account.protectedBecause : undefined,
      attributes: attributes.map(shownAttribute),
    }
  }
}

function shownAttribute({ attribute, wanted, held, state }: ComparedAttribute): object {
  return { attribute, wanted, held, state }
}

async function personOf(store: OperatedStore, connection: OperatedConnection, idOrName: string): Promise<Person> {
  const byId = await readPerson(store, connection, idOrName)
  if (byId !== undefined) return byId
  const where = { attribute: 'userName', equals: idOrName } as const
  const [named] = await store.list(connection.name, { type: 'User', where, limit: 1 })
  const byName = named === undefined ? undefined : await readPerson(store, connection, named.id)
  if (byName === undefined) throw noSuch('person or group')
  return byName
}

function shownPerson(connection: string, person: Person, history: History): object {
  const { id, isGroup, isKnown, document, names, link, operation } = person
  return {
    connection,
    id,
    kind: isGroup ? 'group' : 'person',
    isKnown,
    userName: names.userName === '' ? link?.userName : names.userName,
    name: names.name,
    email: names.email,
    active: isKnown && !isGroup ? names.active : undefined,
    resource: isKnown ? document : undefined,
    link: link && shownLink(link),
    attributes: person.attributes.map(shownAttribute),
    operation: operation && shownOperation(operation),
    groups: person.memberships.map(({ groupId, displayName }) => ({ id: groupId, displayName })),
    grants: person.grants,
    actions: person.actions,
    history: shownHistory(history),
  }
}

function shownLink({ state, accountId, unlinkedAccountId, lastAppliedAt, drift, deletedAt }: Link): object {
  return { state, accountId, unlinkedAccountId, lastAppliedAt, drift, deletedAt }
}

export function shownOperation(operation: Operation): object {
  const { id, resourceId, kind, state, attempts, isDeprovisioning, errorKind, errorMessage } = operation
  return {
    id,
    resourceId,
    kind,
    state,
    attempts,
    isDeprovisioning,
    errorKind,
    errorText: errorKind === undefined ? undefined : errorText(errorKind),
    errorMessage,
    askedAt: operation.createdAt,
    askedBy: operation.caller,
    requestId: operation.requestId,
    nextAt: state === 'waiting' ? timeOf(operation.dueAt) : undefined,
  }
}

function shownHistory({ lines, before }: History): object {
  return {
    items: lines.map(({ id, at, event, caller, requestId, operationId, accountId, detail }) => ({
      id,
      at,
      event,
      caller,
      requestId,
      operationId,
      accountId,
      detail,
    })),
    next: writeCursor('history', before),
  }
}

const choicesOf: Readonly<Partial<Record<PersonAction, Choices>>> = {
  unlink: { force: 'flag' },
  adopt: { account: 'text' },
}

export function createPersonAction(
  options: AdminOptions,
  action: PersonAction,
): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name, provision } = connectionOf(visit, options)
    const ordered = readOrder(visit, choicesOf[action], action === 'adopt' ? ['account'] : [])
    const choices = { accountId: ordered.text('account') ?? '', isForced: ordered.flag('force') }
    const person = visit.path.get('person') ?? ''
    return doneAnswer(name, action, await actOnPerson(provision.operator, ordered.order, person, action, choices))
  }
}
