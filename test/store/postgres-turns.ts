import type { PostgresLocation } from '../../src/store/location.ts'
import type { PostgresServer } from '../postgres-server.ts'

type Context = { after(work: () => Promise<void>): void }

const emptied = `do $$
  declare
    name text;
  begin
    -- No foreign key asks for an order.
    perform set_config('session_replication_role', 'replica', true);
    for name in select tablename from pg_tables where schemaname = current_schema() and tablename <> 'migration' loop
      execute format('delete from %I', name);
    end loop;
  end $$`

/**
 * To make a store's schema costs PostgreSQL hundreds of files. Who needs an empty store, and does nothing to its schema, takes
 * one that another test has left, emptied.
 */
export function schemasInTurns(server: () => PostgresServer): (t: Context) => Promise<PostgresLocation> {
  const left: PostgresLocation[] = []
  return async (t) => {
    const found = left.pop()
    const location = found ?? server().location()
    if (found !== undefined) await server().execute(found, emptied)
    t.after(async () => void left.push(location))
    return location
  }
}
