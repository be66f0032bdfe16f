import type { PostgresLocation } from '../../src/store/location.ts'
import type { PostgresServer } from '../postgres-server.ts'

/** What the schema of a store is made of, one thing a line. */
export async function describeSchema(server: PostgresServer, location: PostgresLocation): Promise<string> {
  const { rows } = await server.execute(
    location,
    `select line from (
      select c.relname as owner, 1 as rank, a.attname as name, c.relname || '.' || a.attname || ' ' ||
        format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || nullif(l.collname, 'default'), '') ||
        case when a.attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
        left join pg_collation l on l.oid = a.attcollation
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where c.relnamespace = current_schema()::regnamespace and a.attnum > 0 and not a.attisdropped
      union all
      select conrelid::regclass::text, 2, conname, conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace = current_schema()::regnamespace
      union all
      select tablename, 3, indexname, replace(indexdef, ' ' || schemaname || '.', ' ')
      from pg_indexes where schemaname = current_schema()) as described
    order by owner collate "C", rank, name collate "C"`,
  )
  return rows.map(({ line }) => `${line}\n`).join('')
}
