import { findRequests } from '../operator/requests.ts'
import type { KeptRequest } from '../store/console-store.ts'
import { timeOf } from './done.ts'
import { writeCursor } from './parameters.ts'
import { AdminProblem } from './problems.ts'
import { type AdminOptions, type AdminVisit, connectionOf } from './visit.ts'

/** What the identity provider sent and was answered, as it is kept: newest first. */
export function createRequests({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name, keptRequests } = connectionOf(visit, options)
    const { query } = visit
    const search = {
      person: query.text('person'),
      requestId: query.text('requestId'),
      statuses: statusesOf(query.text('status')),
      from: query.time('from'),
      to: query.time('to'),
    }
    const [limit, before] = [query.limit(), query.number('requests')]
    await options.flushRequests()
    const { requests, next } = await findRequests(store, name, search, before, limit)
    return { kept: keptRequests, items: requests.map(shown), next: writeCursor('requests', next) }
  }
}

function shown({ id, at, ...request }: KeptRequest & { readonly id: number }): object {
  return { id, at: timeOf(at), ...request }
}

/** `404`, or `4xx` for all of them. */
function statusesOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined
  const [, first = '', rest] = /^([1-5])(xx|\d\d)$/.exec(text) ?? []
  if (rest === undefined) throw new AdminProblem('invalid_parameter', 'status has to be such as 404 or 4xx.')
  const exact = Number(text)
  return rest === 'xx' ? [Number(first) * 100, Number(first) * 100 + 99] : [exact, exact]
}
