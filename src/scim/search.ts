import { Problem } from '../errors.ts'
import type { Json } from '../json.ts'
import { pageSize } from '../limits.ts'
import type { ResourceType } from '../store/store.ts'
import { bodyOf, type ScimContext } from './context.ts'
import { boundedCount, findPage, type ListRequest, listText, renderPage } from './list.ts'

const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

/** RFC 7644 §3.4.3: the parameters of a list, from a body. At the root over both types, Groups after Users. */
export async function search(context: ScimContext, types: readonly ResourceType[]): Promise<Buffer> {
  const wanted = requestFromBody(context)
  const texts: string[] = []
  let total = 0
  for (const type of types) {
    // What earlier types have filled is not asked for again; totals count every type.
    const startIndex = Math.max(1, wanted.startIndex - total)
    const count = Math.max(0, wanted.count - texts.length)
    const { projection, page } = await findPage(context, { ...wanted, type, startIndex, count })
    texts.push(...(await renderPage(context, type, page.rows, projection)))
    total += page.total
  }
  return listText(total, wanted.startIndex, texts)
}

function requestFromBody(context: ScimContext): Omit<ListRequest, 'type'> {
  const parameters = new Map<string, Json>()
  for (const [name, value] of Object.entries(bodyOf(context))) {
    if (value !== null) parameters.set(name.toLowerCase(), value)
  }
  const schemas = parameters.get('schemas')
  if (
    !Array.isArray(schemas) ||
    !schemas.some((urn) => typeof urn === 'string' && urn.toLowerCase() === searchUrn.toLowerCase())
  ) {
    throw new Problem(400, 'invalidSyntax', `schemas has to name ${searchUrn}.`)
  }
  return {
    filter: text(parameters, 'filter'),
    sortBy: text(parameters, 'sortBy'),
    sortOrder: text(parameters, 'sortOrder'),
    attributes: names(parameters, 'attributes'),
    excludedAttributes: names(parameters, 'excludedAttributes'),
    startIndex: Math.max(1, whole(parameters, 'startIndex', 1)),
    count: boundedCount(whole(parameters, 'count', pageSize)),
  }
}

function text(parameters: ReadonlyMap<string, Json>, name: string): string | undefined {
  const value = parameters.get(name.toLowerCase())
  if (value === undefined || typeof value === 'string') return value
  throw new Problem(400, 'invalidValue', `${name} has to be text.`)
}

function names(parameters: ReadonlyMap<string, Json>, name: string): string | undefined {
  const value = parameters.get(name.toLowerCase())
  if (value === undefined || typeof value === 'string') return value
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(',')
  throw new Problem(400, 'invalidValue', `${name} has to be a list of attribute names.`)
}

function whole(parameters: ReadonlyMap<string, Json>, name: string, absent: number): number {
  const value = parameters.get(name.toLowerCase())
  if (value === undefined) return absent
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new Problem(400, 'invalidValue', `${name} has to be a whole number.`)
}
