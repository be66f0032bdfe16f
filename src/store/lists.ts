import { type CompiledQuery, type RawBuilder, sql } from 'kysely'
import { foldKey } from './keys.ts'
import type { ResourceRow } from './rows.ts'
import { type Dialect, statement, type Value } from './statement.ts'
import type { IndexedCondition, ListQuery, ResourceType } from './store.ts'

type Name = 'connection' | 'type' | 'value' | 'emailType' | 'afterSeq' | 'limit' | 'offset'
type Values = Readonly<Record<Name, Value>>
type SlotOf = (name: Name) => RawBuilder<unknown>
type Order = NonNullable<ListQuery['order']>

const names: readonly Name[] = ['connection', 'type', 'value', 'emailType', 'afterSeq', 'limit', 'offset']

export const resourceColumns = sql.raw('connection, id, type, seq, version, visible, json, created, modified')

/** Every order is backed by an index of `0001.sql`. */
const orderColumns: Readonly<Record<Order['by'], RawBuilder<unknown>>> = {
  seq: sql.raw('seq'),
  id: sql.raw('id'),
  userName: sql.raw('user_name_key'),
  displayName: sql.raw('display_key'),
  externalId: sql.raw('external_id'),
  created: sql.raw('created'),
  lastModified: sql.raw('modified'),
}
const equalColumns = {
  id: sql.raw('id'),
  userName: sql.raw('user_name_key'),
  displayName: sql.raw('display_key'),
  externalId: sql.raw('external_id'),
}
const comparisons = { ge: sql.raw('>='), gt: sql.raw('>'), le: sql.raw('<='), lt: sql.raw('<') }

/** Statements for lists and counts: one for each shape of a query, compiled when it is first seen. The shapes are few. */
export function createLists(dialect: Dialect) {
  const lists = new Map<string, (values: Values) => CompiledQuery<ResourceRow>>()
  const counts = new Map<string, (values: Values) => CompiledQuery<{ count: number }>>()
  return {
    list(connection: string, query: ListQuery): CompiledQuery<ResourceRow> {
      const { where, order = { by: 'seq', descending: false }, afterSeq, offset } = query
      if (afterSeq !== undefined && (order.by !== 'seq' || order.descending)) {
        throw new TypeError('afterSeq needs the order by seq, ascending')
      }
      const shape = [shapeOf(where), order.by, order.descending, afterSeq !== undefined].join(' ')
      const known = lists.get(shape)
      const made = known ?? statement(dialect, names, (slot) => listText(slot, where, order, afterSeq !== undefined))
      if (known === undefined) lists.set(shape, made)
      const values = valuesOf(connection, query.type, where)
      return made({ ...values, afterSeq: afterSeq ?? 0, limit: query.limit, offset: offset ?? 0 })
    },
    count(connection: string, type: ResourceType, where: IndexedCondition): CompiledQuery<{ count: number }> {
      const shape = shapeOf(where)
      const known = counts.get(shape)
      const made = known ?? statement(dialect, names, (slot) => countText(slot, where))
      if (known === undefined) counts.set(shape, made)
      return made({ ...valuesOf(connection, type, where), afterSeq: 0, limit: 0, offset: 0 })
    },
  }
}

function listText(slot: SlotOf, where: IndexedCondition | undefined, order: Order, isAfter: boolean) {
  const direction = sql.raw(order.descending ? 'desc' : 'asc')
  // RFC 7644 §3.4.2.3: resources without the value come last when ascending, first when descending.
  const nulls = sql.raw(order.descending ? 'nulls first' : 'nulls last')
  const orderBy =
    order.by === 'seq' || order.by === 'id'
      ? sql`${orderColumns[order.by]} ${direction}`
      : sql`${orderColumns[order.by]} ${direction} ${nulls}, seq ${direction}`
  const after = isAfter ? sql`and seq > ${slot('afterSeq')}` : sql``
  return sql<ResourceRow>`
    select ${resourceColumns} from ${source(slot, where)}
    where ${tenant(slot)} ${condition(slot, where)} ${after}
    order by ${orderBy} limit ${slot('limit')} offset ${slot('offset')}`
}

function countText(slot: SlotOf, where: IndexedCondition) {
  return sql<{ count: number }>`
    select count(*) as count from ${source(slot, where)} where ${tenant(slot)} ${condition(slot, where)}`
}

function tenant(slot: SlotOf): RawBuilder<unknown> {
  return sql`connection = ${slot('connection')} and type = ${slot('type')} and visible = 1`
}

/**
 * `cross join` makes SQLite begin with the few rows that fit; as a condition it would walk all resources in order. The
 * empty text keeps it from walking all e-mails in the order of `resource_id` for the sake of `distinct`.
 */
function source(slot: SlotOf, where: IndexedCondition | undefined): RawBuilder<unknown> {
  if (where?.attribute === 'member') {
    return sql`(
      select group_id as found from member
      where connection = ${slot('connection')} and user_id = ${slot('value')}) cross join resource`
  }
  if (where?.attribute === 'email') {
    const ofType = where.type === undefined ? sql`` : sql`and email_type = ${slot('emailType')}`
    return sql`(
      select distinct resource_id || '' as found from email_value
      where connection = ${slot('connection')} and value_key = ${slot('value')} ${ofType}) cross join resource`
  }
  return sql`resource`
}

function condition(slot: SlotOf, where: IndexedCondition | undefined): RawBuilder<unknown> {
  if (where === undefined) return sql``
  if (where.attribute === 'lastModified') return sql`and modified ${comparisons[where.operator]} ${slot('value')}`
  if (where.attribute === 'member' || where.attribute === 'email') return sql`and id = found`
  return sql`and ${equalColumns[where.attribute]} = ${slot('value')}`
}

function shapeOf(where: IndexedCondition | undefined): string {
  if (where === undefined) return 'all'
  if (where.attribute === 'lastModified') return `lastModified ${where.operator}`
  if (where.attribute === 'email') return where.type === undefined ? 'email' : 'typed email'
  return where.attribute
}

function valuesOf(connection: string, type: ResourceType, where: IndexedCondition | undefined) {
  const emailType = where?.attribute === 'email' && where.type !== undefined ? foldKey(where.type) : null
  return { connection, type, value: where === undefined ? null : valueFrom(where), emailType }
}

function valueFrom(where: IndexedCondition): string {
  if (where.attribute === 'lastModified') return where.value
  const isExact = where.attribute === 'id' || where.attribute === 'externalId' || where.attribute === 'member'
  return isExact ? where.equals : foldKey(where.equals)
}
