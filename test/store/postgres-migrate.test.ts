import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialMigrations } from '../../src/store/credentials.ts'
import { knownMigrations, storeMigrations } from '../../src/store/migrate.ts'
import { postgresText, statementsOf, subjectOf } from '../../src/store/postgres-migrate.ts'

const shared = `
-- What both say; with a semicolon here.
create table place (
  name text not null -- as people say it;
);
create unique index place_name on place (name);
alter table link add column place text;
`

test('what SQLite and PostgreSQL say alike is made from one file, with texts compared by their bytes', () => {
  assert.equal(
    postgresText(shared),
    `create table place (
  name text collate "C" not null 
);
create unique index place_name on place (name);
alter table link add column place text collate "C";
`,
  )
})

test('what PostgreSQL says otherwise takes the place of what SQLite says of the same thing; what is new comes last', () => {
  const own = `
    create table number (value bigint);
    -- Shorter.
    create index place_name on place (name, id);
    alter table link add column place bigint;`
  assert.deepEqual(statementsOf(postgresText(shared, own)), [
    'create table place (\n  name text collate "C" not null \n)',
    'create index place_name on place (name, id)',
    'alter table link add column place bigint',
    'create table number (value bigint)',
  ])
})

for (const [what, folder, own] of [
  ['store', storeMigrations, 'postgres-migrations'],
  ['credentials', credentialMigrations, 'postgres-credential-migrations'],
] as const) {
  test(`the ${what}: nothing is said for both databases and again for PostgreSQL, and every difference has its migration`, () => {
    const known = new Map(knownMigrations(folder).map(({ number, text }) => [number, statementsOf(text)]))
    for (const { number, text } of knownMigrations(new URL(`../../src/store/${own}/`, import.meta.url))) {
      const statements = known.get(number)
      assert.ok(statements !== undefined, `no migration ${number}`)
      const differing = statementsOf(text)
      assert.equal(new Set(differing.map(subjectOf)).size, differing.length, 'each thing is said once')
      for (const statement of differing) assert.ok(!statements.includes(statement), statement)
      const subjects = new Set(statements.map(subjectOf))
      assert.ok(
        differing.some((statement) => subjects.has(subjectOf(statement))),
        'something takes the place of something',
      )
    }
  })
}
