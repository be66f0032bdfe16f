import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

type SecretWrites = Pick<StoreWriter, 'keepSecret'>

export function createSecretWrites(dialect: Dialect): (run: Run) => SecretWrites {
  const keep = statement(
    dialect,
    ['connection', 'name', 'value'],
    (slot) => sql<{ value: string }>`
      insert into secret (connection, name, value) values (${slot('connection')}, ${slot('name')}, ${slot('value')})
      on conflict (connection, name) do update set value = secret.value
      returning value`,
  )
  return (run) => ({
    async keepSecret(connection, name, proposed) {
      const { rows } = await run(keep({ connection, name, value: proposed }))
      const row = rows[0]
      if (row === undefined) throw new Error(`the secret ${name} was not stored`)
      return row.value
    },
  })
}
