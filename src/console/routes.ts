import type { ConsoleOptions } from './console.ts'
import { createAskWalk, createFindings, createStartWalk } from './findings.ts'
import { createMapping } from './mapping.ts'
import { createActOnWhole, createAskWhole, createOperations, createOperationsOfCause } from './operations.ts'
import { createOverview } from './overview.ts'
import { createPeople, createPerson, createReadAgain } from './people.ts'
import { createActOnPerson, createAskPerson } from './person-actions.ts'
import { createRequests } from './requests.ts'
import { createCheck, createSetup } from './setup.ts'
import type { Answer } from './view.ts'
import type { Visit } from './visit.ts'

export interface Route {
  readonly method: 'get' | 'post'
  readonly path: string
  work(visit: Visit): Promise<Answer>
}

/** Every page, and everything that a button does. */
export function createRoutes(options: ConsoleOptions): readonly Route[] {
  return [
    { method: 'get', path: '/', work: createOverview(options) },
    { method: 'get', path: '/people', work: createPeople(options) },
    { method: 'get', path: '/people/:connection/:id', work: createPerson(options) },
    { method: 'get', path: '/people/:connection/:id/:action', work: createAskPerson(options) },
    { method: 'post', path: '/people/:connection/:id/read', work: createReadAgain(options) },
    { method: 'post', path: '/people/:connection/:id/:action', work: createActOnPerson(options) },
    { method: 'get', path: '/requests', work: createRequests(options) },
    { method: 'get', path: '/findings', work: createFindings(options) },
    { method: 'get', path: '/findings/:action', work: createAskWalk(options) },
    { method: 'post', path: '/findings/:action', work: createStartWalk(options) },
    { method: 'get', path: '/mapping', work: createMapping(options) },
    { method: 'post', path: '/mapping', work: createMapping(options) },
    { method: 'get', path: '/setup', work: createSetup(options) },
    { method: 'post', path: '/setup/check', work: createCheck(options) },
    { method: 'get', path: '/operations', work: createOperations(options) },
    { method: 'get', path: '/operations/cause', work: createOperationsOfCause(options) },
    { method: 'get', path: '/operations/:action', work: createAskWhole(options) },
    { method: 'post', path: '/operations/:action', work: createActOnWhole(options) },
  ]
}
