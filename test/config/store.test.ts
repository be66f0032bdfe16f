import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { StoreConfig } from '../../src/config/store-format.ts'
import { readPart } from './read-part.ts'

const environment = { STORE_PASSWORD: 'from the environment' }

/** Lines of the error with their place; the store when there is none. */
function read(t: TestContext, text: string): { folder: string; store?: StoreConfig; problems?: string[] } {
  const { config, folder, file, problems } = readPart(t, `store: ${text}`, environment, { password: 'from a file\n' })
  if (config !== undefined) return { folder, store: config.store }
  return { folder, problems: problems.split('\n').map((line) => line.replace(`${file}:`, '')) }
}

test('a PostgreSQL on another machine is spoken to with TLS, and bounds of its own are not needed', (t) => {
  assert.deepEqual(read(t, 'postgres://bridge@db.uni.example/scim').store, {
    kind: 'postgres',
    host: 'db.uni.example',
    port: 5432,
    user: 'bridge',
    database: 'scim',
    password: undefined,
    tls: {},
    schema: undefined,
    connections: 10,
    statementMs: 10_000,
  })
})

test('everything of a PostgreSQL can be said, paths are relative to the file', (t) => {
  const { folder, store } = read(
    t,
    `{ url: "postgresql://b%40x@db:6432/s%2Fb", password: "\${STORE_PASSWORD}", tls: { ca: ca.pem }, schema: bridge, connections: 4, statementSeconds: 5 }`,
  )
  assert.ok(store?.kind === 'postgres')
  const { password, ...others } = store
  assert.equal(password?.(), 'from the environment')
  assert.deepEqual(others, {
    kind: 'postgres',
    host: 'db',
    port: 6432,
    user: 'b@x',
    database: 's/b',
    tls: { ca: join(folder, 'ca.pem') },
    schema: 'bridge',
    connections: 4,
    statementMs: 5_000,
  })
})

test('a password in a file is the present one', (t) => {
  const { folder, store } = read(t, '{ url: postgres://bridge@db/scim, password: { file: password } }')
  assert.ok(store?.kind === 'postgres')
  assert.equal(store.password?.(), 'from a file')
  writeFileSync(join(folder, 'password'), 'another one')
  assert.equal(store.password?.(), 'another one')
})

for (const store of [
  'postgres://bridge@127.0.0.1/scim',
  'postgres://bridge@localhost/scim',
  'postgres://bridge@[::1]/scim',
  'postgres://bridge@localhost/scim?host=/run/postgresql',
  '{ url: postgres://bridge@db.uni.example/scim, tls: off }',
]) {
  test(`${store} is spoken to without TLS`, (t) => {
    const found = read(t, store)
    assert.ok(found.store?.kind === 'postgres', String(found.problems))
    assert.equal(found.store.tls, undefined)
  })
}

for (const [store, problem] of [
  ['postgres://bridge:secret@db/scim', /^4:1: store: has a password in it/],
  ['postgres://bridge@db', /^4:1: store: names no database/],
  ['postgres://bridge@/scim', /^4:1: store: (is not an address|names no host)/],
  ['postgres://db/scim', /^4:1: store: names no user/],
  ['postgres://bridge@db/scim?application_name=x', /^4:1: store: has settings of its own/],
  ['postgres://bridge@db/scim?sslmode=verify-full', /^4:1: store: says how TLS is spoken: leave that out, it is on/],
  ['mysql://bridge@db/scim', /^4:1: store: has to be sqlite:<file> or postgres:/],
  ['{ url: postgres://bridge@db/scim, password: secret }', /store\.password: a secret is not written here/],
  ['{ url: postgres://bridge@db/scim, password: { file: nowhere } }', /store\.password: this file cannot be read/],
  [`{ url: postgres://bridge@db/scim, pasword: "\${STORE_PASSWORD}" }`, /store\.pasword: unknown key.*password/],
  ['{ url: postgres://bridge@db/scim, connections: 1 }', /store\.connections: has to be at least 2/],
  ['{ url: postgres://bridge@db/scim, tls: { certificate: a.pem } }', /certificate and key belong together/],
  ['{ url: postgres://bridge@db/scim, schema: "x; drop" }', /store\.schema: has to be a small letter/],
] as const) {
  test(`${store} is refused, and told without the password`, (t) => {
    const { problems = [] } = read(t, store)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
    assert.doesNotMatch(problems[0] ?? '', /: secret|:secret/)
  })
}
