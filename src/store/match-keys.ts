import { sql } from './kysely.ts'
import { type Dialect, listRows, listValue, type Run, statement } from './statement.ts'
import type { WalkWriter } from './walk-store.ts'

export function createMatchKeyWrites(
  dialect: Dialect,
): (run: Run) => Pick<WalkWriter, 'putMatchKey' | 'resourcesByKeys'> {
  const put = statement(
    dialect,
    ['connection', 'walk', 'key', 'resourceId'],
    (slot) => sql<unknown>`
      insert into match_key (connection, walk, value_key, resource_id)
      values (${slot('connection')}, ${slot('walk')}, ${slot('key')}, ${slot('resourceId')})
      on conflict do nothing`,
  )
  const find = statement(
    dialect,
    ['connection', 'walk', 'keys'],
    (slot) => sql<{ value_key: string; resource_id: string }>`
      select value_key, resource_id from match_key
      where connection = ${slot('connection')} and walk = ${slot('walk')}
        and value_key in (select value from ${listRows(slot('keys'))})`,
  )
  return (run) => ({
    async putMatchKey(connection, walk, key, resourceId) {
      await run.tell(
        put({ connection, walk, key: run.sealer.index('match_key.value_key', connection, key), resourceId }),
      )
    },
    async resourcesByKeys(connection, walk, keys) {
      const wanted = new Map(keys.map((key) => [run.sealer.index('match_key.value_key', connection, key), key]))
      const { rows } = await run(find({ connection, walk, keys: listValue([...wanted.keys()]) }))
      const resources = new Map<string, string[]>()
      for (const row of rows) {
        const key = wanted.get(row.value_key)
        if (key !== undefined) resources.set(key, [...(resources.get(key) ?? []), row.resource_id])
      }
      return resources
    },
  })
}
