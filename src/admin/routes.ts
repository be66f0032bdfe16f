/** Every endpoint below `/admin/v1`, with the role that it needs and the parameters that it knows. */
import type { AdminRole } from '../access.ts'
import { personActions } from '../operator/person-actions.ts'
import { createCauses, createOperations, createReapply, createRetryCause, createWholeAction } from './operations.ts'
import { createAlarmList, createConnection, createConnections } from './overview.ts'
import {
  createAccount,
  createHistory,
  createMembers,
  createPeople,
  createPerson,
  createPersonAction,
} from './people.ts'
import { createAskWalk, createFindings, createReconcile } from './reconcile.ts'
import { createRequests } from './requests.ts'
import type { AdminOptions, AdminVisit } from './visit.ts'

export interface AdminRoute {
  readonly method: 'GET' | 'POST'
  /** `{name}` stands for one segment. */
  readonly path: string
  readonly role: AdminRole
  readonly parameters: readonly string[]
  work(visit: AdminVisit): Promise<object>
}

const one = '/connections/{connection}'
const person = `${one}/people/{person}`
const page = ['limit', 'cursor']

export function createAdminRoutes(options: AdminOptions): readonly AdminRoute[] {
  const get = (
    role: AdminRole,
    path: string,
    work: AdminRoute['work'],
    parameters: readonly string[] = [],
  ): AdminRoute => ({ method: 'GET', role, path, parameters, work })
  const post = (path: string, work: AdminRoute['work']): AdminRoute => ({
    method: 'POST',
    role: 'operate',
    path,
    parameters: [],
    work,
  })
  return [
    get('monitor', '/connections', createConnections(options)),
    get('monitor', one, createConnection(options)),
    get('monitor', `${one}/alarms`, createAlarmList(options)),
    get('read', `${one}/people`, createPeople(options), ['search', ...page]),
    get('read', person, createPerson(options)),
    get('read', `${person}/history`, createHistory(options), page),
    get('read', `${person}/members`, createMembers(options), page),
    // Spends calls of the platform.
    get('operate', `${person}/account`, createAccount(options)),
    ...personActions.map((action) => post(`${person}/${action}`, createPersonAction(options, action))),
    get('read', `${one}/causes`, createCauses(options)),
    post(`${one}/causes/retry`, createRetryCause(options)),
    get('read', `${one}/operations`, createOperations(options), ['state', 'errorKind', 'errorMessage', ...page]),
    post(`${one}/release`, createWholeAction(options, 'releaseAll')),
    post(`${one}/resume`, createWholeAction(options, 'resume')),
    get('read', `${one}/reapply`, createReapply(options)),
    post(`${one}/reapply`, createWholeAction(options, 'reapplyAll')),
    post(`${one}/reapply/cancel`, createWholeAction(options, 'cancelReapply')),
    get('read', `${one}/reconcile`, createReconcile(options)),
    post(`${one}/reconcile`, createAskWalk(options)),
    get('read', `${one}/findings`, createFindings(options), ['situation', ...page]),
    get('read', `${one}/requests`, createRequests(options), ['person', 'requestId', 'status', 'from', 'to', ...page]),
  ]
}
