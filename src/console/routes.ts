import type { ConsoleOptions } from './console.ts'
import { createOverview } from './overview.ts'
import { createPeople, createPerson } from './people.ts'
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
  ]
}
