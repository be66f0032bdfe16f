/** Walking SelfCommunity's pages. `next` is not followed: the offset is ours, so a page can lead to no other host. */
import type { z } from 'zod'
import { Broken } from '../../errors.ts'
import { parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { Caller } from './tokens.ts'

/** Asked for; the platform's maximum is not documented and may be lower. */
export const pageSize = 100
const maxPages = 2_000

type Query = readonly (readonly [string, string])[]

export function pageQuery(offset: number, limit: number): Query {
  return [
    ['limit', String(limit)],
    ['offset', String(offset)],
  ]
}

/** Rows page by page, until the count is reached or a page is empty. */
export async function* pages<Row>(
  caller: Caller,
  call: Call,
  path: readonly string[],
  query: Query,
  shape: z.ZodType<{ count: number; results: Row[] }>,
): AsyncGenerator<readonly Row[]> {
  let offset = 0
  for (let number = 1; number <= maxPages; number++) {
    const request: PlatformRequest = { method: 'GET', path, query: [...query, ...pageQuery(offset, pageSize)] }
    const answer = await caller.asService(call, request)
    if (answer.status !== 200) throw unexpectedAnswer(request, answer)
    const page = parseAnswer(shape, request, answer)
    yield page.results
    offset += page.results.length
    if (page.results.length === 0 || offset >= page.count) return
  }
  throw new Broken(`GET /${path.join('/')}/ does not come to an end`)
}
