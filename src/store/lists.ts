import {
  type ConditionName,
  condition,
  conditionNames,
  provisioningColumns,
  resourceColumns,
  shapeOf,
  source,
  tenant,
  wantedBy,
} from './conditions.ts'
import { type RawBuilder, sql } from './kysely.ts'
import type { IndexedCondition, ListQuery, UserListQuery } from './queries.ts'
import type { ResourceRow, UserRow } from './rows.ts'
import type { Sealer } from './sealing.ts'
import { atMost, type Dialect, type Query, statement, type Value } from './statement.ts'
import type { ResourceType } from './store.ts'

type Name = ConditionName | 'afterSeq' | 'limit' | 'offset'
type Values = Readonly<Record<Name, Value>>
type SlotOf = (name: Name) => RawBuilder<unknown>
export type Order = NonNullable<ListQuery['order']>

const names: readonly Name[] = [...conditionNames, 'afterSeq', 'limit', 'offset']

/** Every order is backed by an index of `0001.sql`. */
export const orderColumns: Readonly<Record<Order['by'], RawBuilder<unknown>>> = {
  seq: sql.raw('seq'),
  id: sql.raw('id'),
  userName: sql.raw('user_name_key'),
  displayName: sql.raw('display_key'),
  externalId: sql.raw('external_id'),
  created: sql.raw('created'),
  lastModified: sql.raw('modified'),
}

/** Statements for lists and counts: one for each shape of a query, compiled when it is first seen. The shapes are few. */
export function createLists(dialect: Dialect) {
  const lists = new Map<string, (values: Values) => Query<ResourceRow>>()
  const counts = new Map<string, (values: Values) => Query<{ count: number }>>()
  const users = new Map<string, (values: Values) => Query<UserRow & { readonly id: string }>>()
  return {
    /** As `list`, with what an answer shows of each: a page costs one query, and not one more for each of its parts. */
    users(sealer: Sealer, connection: string, { where, afterSeq, offset, limit }: UserListQuery) {
      assertIndexed(sealer, where)
      const shape = `${shapeOf(where)} ${afterSeq !== undefined}`
      const made =
        users.get(shape) ?? statement(dialect, names, (slot) => usersText(slot, where, afterSeq !== undefined))
      users.set(shape, made)
      const place = { afterSeq: afterSeq ?? 0, limit, offset: offset ?? 0 }
      return made({ ...wantedBy(sealer, connection, where), connection, type: 'User', ...place })
    },
    list(sealer: Sealer, connection: string, query: ListQuery): Query<ResourceRow> {
      const { where, order = { by: 'seq', descending: false }, afterSeq, offset } = query
      assertIndexed(sealer, where, order)
      if (afterSeq !== undefined && (order.by !== 'seq' || order.descending)) {
        throw new TypeError('afterSeq needs the order by seq, ascending')
      }
      const shape = [shapeOf(where), order.by, order.descending, afterSeq !== undefined].join(' ')
      const known = lists.get(shape)
      const made = known ?? statement(dialect, names, (slot) => listText(slot, where, order, afterSeq !== undefined))
      if (known === undefined) lists.set(shape, made)
      const { type, limit } = query
      return made({
        ...wantedBy(sealer, connection, where),
        connection,
        type,
        afterSeq: afterSeq ?? 0,
        limit,
        offset: offset ?? 0,
      })
    },
    count(sealer: Sealer, connection: string, type: ResourceType, where: IndexedCondition): Query<{ count: number }> {
      assertIndexed(sealer, where)
      const shape = shapeOf(where)
      const known = counts.get(shape)
      const made = known ?? statement(dialect, names, (slot) => countText(slot, where))
      if (known === undefined) counts.set(shape, made)
      return made({ ...wantedBy(sealer, connection, where), connection, type, afterSeq: 0, limit: 0, offset: 0 })
    },
  }
}

const orderedSealed: ReadonlySet<string> = new Set(['seq', 'id', 'created', 'lastModified'])

/** What indexes cannot answer of sealed names would come out wrong, not slow. */
export function assertIndexed(sealer: Sealer, where: IndexedCondition | undefined, order?: Order): void {
  if (sealer.keyId === undefined) return
  const isPrefix = where?.attribute === 'prefix' && where.of !== 'id'
  if (isPrefix || (order !== undefined && !orderedSealed.has(order.by))) {
    throw new TypeError('sealed names have no order: documents have to be compared')
  }
}

function listText(slot: SlotOf, where: IndexedCondition | undefined, order: Order, isAfter: boolean) {
  const after = isAfter ? sql`and seq > ${slot('afterSeq')}` : sql``
  return sql<ResourceRow>`
    select ${resourceColumns} from ${source(slot, where)}
    where ${tenant(slot)} ${condition(slot, where)} ${after}
    order by ${orderText(order)} limit ${atMost(slot('limit'))} offset ${slot('offset')}`
}

/** The page first, within its limit; the parts of its rows then cost one look into an index each. */
function usersText(slot: SlotOf, where: IndexedCondition | undefined, isAfter: boolean) {
  const after = isAfter ? sql`and seq > ${slot('afterSeq')}` : sql``
  return sql<UserRow & { readonly id: string }>`
    select page.id, page.seq, page.version, page.json, page.created, page.modified, ${provisioningColumns},
      case when exists (
        select 1 from member where member.connection = ${slot('connection')} and member.user_id = page.id)
        then 1 else 0 end as is_member
    from (
      select id, seq, version, json, created, modified from ${source(slot, where)}
      where ${tenant(slot)} ${condition(slot, where)} ${after}
      order by seq limit ${atMost(slot('limit'))} offset ${slot('offset')}) as page
      left join link on link.connection = ${slot('connection')} and link.resource_id = page.id
      left join operation on operation.connection = ${slot('connection')} and operation.resource_id = page.id
    order by page.seq`
}

/** RFC 7644 §3.4.2.3: resources without the value come last when ascending, first when descending. */
export function orderText(order: Order): RawBuilder<unknown> {
  const direction = sql.raw(order.descending ? 'desc' : 'asc')
  const nulls = sql.raw(order.descending ? 'nulls first' : 'nulls last')
  return order.by === 'seq' || order.by === 'id'
    ? sql`${orderColumns[order.by]} ${direction}`
    : sql`${orderColumns[order.by]} ${direction} ${nulls}, seq ${direction}`
}

function countText(slot: SlotOf, where: IndexedCondition) {
  return sql<{ count: number }>`
    select count(*) as count from ${source(slot, where)} where ${tenant(slot)} ${condition(slot, where)}`
}
