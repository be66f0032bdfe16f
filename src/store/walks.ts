import {
  type ConditionName,
  condition,
  conditionNames,
  resourceColumns,
  shapeOf,
  source,
  tenant,
  wantedBy,
} from './conditions.ts'
import { type RawBuilder, sql } from './kysely.ts'
import { assertIndexed, type Order, orderColumns, orderText } from './lists.ts'
import type { IndexedCondition, Place, PlacedResource, WalkQuery } from './queries.ts'
import { type ResourceRow, toResource } from './rows.ts'
import { atMost, type Dialect, type Query, type Run, statement, type Value } from './statement.ts'

type Name = ConditionName | 'key' | 'seq' | 'limit'
type Values = Readonly<Record<Name, Value>>
type SlotOf = (name: Name) => RawBuilder<unknown>
interface PlacedRow extends ResourceRow {
  readonly place_key: string | null
}
/** A stretch of the order. One statement for all of it would need an `or`, and no index serves that. */
type Stretch = 'whole' | 'beyond' | 'with value' | 'without value' | 'beyond, without value'

const names: readonly Name[] = [...conditionNames, 'key', 'seq', 'limit']

/** Rows in order from a place on: the cost of a page does not depend on where it is. */
export function createWalks(dialect: Dialect) {
  const statements = new Map<string, (values: Values) => Query<PlacedRow>>()

  function made(stretch: Stretch, { where, order }: WalkQuery): (values: Values) => Query<PlacedRow> {
    const shape = [stretch, shapeOf(where), order.by, order.descending].join(' ')
    const known = statements.get(shape)
    if (known !== undefined) return known
    const compiled = statement(dialect, names, (slot) => walkText(slot, where, order, stretch))
    statements.set(shape, compiled)
    return compiled
  }

  return async (run: Run, connection: string, query: WalkQuery): Promise<readonly PlacedResource[]> => {
    const { from, limit, type } = query
    assertIndexed(run.sealer, query.where, query.order)
    const wanted = wantedBy(run.sealer, connection, query.where)
    const found: PlacedResource[] = []
    for (const stretch of stretchesFrom(from, query.order)) {
      if (found.length >= limit) break
      const left = limit - found.length
      const bound = { ...wanted, connection, type, key: from?.key ?? null, seq: from?.seq ?? 0, limit: left }
      const { rows } = await run(made(stretch, query)(bound))
      for (const row of rows) {
        found.push({ resource: toResource(run.sealer, row), place: { key: row.place_key, seq: row.seq } })
      }
    }
    return found
  }
}

function stretchesFrom(from: Place | undefined, { by, descending }: Order): readonly Stretch[] {
  if (from === undefined) return ['whole']
  if (by === 'seq' || by === 'id') return ['beyond']
  if (from.key !== null) return descending ? ['beyond'] : ['beyond', 'without value']
  return descending ? ['beyond, without value', 'with value'] : ['beyond, without value']
}

function walkText(slot: SlotOf, where: IndexedCondition | undefined, order: Order, stretch: Stretch) {
  const key = order.by === 'seq' ? sql.raw('null') : orderColumns[order.by]
  return sql<PlacedRow>`
    select ${resourceColumns}, ${key} as place_key from ${source(slot, where)}
    where ${tenant(slot)} ${condition(slot, where)} ${stretchText(slot, order, stretch)}
    order by ${orderText(order)} limit ${atMost(slot('limit'))}`
}

function stretchText(slot: SlotOf, { by, descending }: Order, stretch: Stretch): RawBuilder<unknown> {
  const column = orderColumns[by]
  const passes = sql.raw(descending ? '<' : '>')
  switch (stretch) {
    case 'whole':
      return sql``
    case 'beyond':
      if (by === 'seq') return sql`and seq ${passes} ${slot('seq')}`
      if (by === 'id') return sql`and id ${passes} ${slot('key')}`
      // Never true of rows without a value.
      return sql`and (${column}, seq) ${passes} (${slot('key')}, ${slot('seq')})`
    case 'with value':
      return sql`and ${column} is not null`
    case 'without value':
      return sql`and ${column} is null`
    case 'beyond, without value':
      return sql`and ${column} is null and seq ${passes} ${slot('seq')}`
  }
}
