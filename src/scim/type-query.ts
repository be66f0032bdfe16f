import type { ResourceType } from '../store/store.ts'
import type { ResourceSchema } from './attribute.ts'
import type { ScimContext } from './context.ts'
import { type CompiledFilter, compileFilter } from './filter-compile.ts'
import { parseFilter } from './filter-parse.ts'
import type { ListRequest } from './list-request.ts'
import { type Projection, parseProjection } from './projection.ts'
import { parseSort, type Sort } from './sort.ts'

/** What a list is about, in the terms of one resource type. */
export interface TypeQuery {
  readonly type: ResourceType
  readonly schema: ResourceSchema
  readonly filter: CompiledFilter | undefined
  readonly sort: Sort | undefined
  readonly projection: Projection
}

/**
 * Throws `Problem` 400 when filter, sort or projection cannot be understood. Over several types, an attribute that only
 * another type has is one without value here (RFC 7644 §3.4.2.1).
 */
export function compileQueries(
  context: ScimContext,
  types: readonly ResourceType[],
  request: ListRequest,
): readonly TypeQuery[] {
  const { user, group } = context.connection.schemas
  const schemas = types.map((type) => (type === 'User' ? user : group))
  return schemas.map((schema) => {
    const others = schemas.filter((other) => other !== schema)
    const { filter, sortBy, sortOrder, attributes, excludedAttributes } = request
    return {
      type: schema.type,
      schema,
      filter:
        filter === undefined ? undefined : compileFilter(parseFilter(filter, schema, others), schema, context.store),
      sort: parseSort(schema, sortBy, sortOrder, others, context.store),
      projection: parseProjection(schema, attributes, excludedAttributes),
    }
  })
}

/** The store answers it in order, without a look at documents. */
export function isIndexed({ filter, sort }: TypeQuery): boolean {
  return (filter === undefined || filter.indexIsExact) && (sort === undefined || sort.index !== undefined)
}
