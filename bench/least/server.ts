/**
 * The least with which a request could be answered that is as safe as ours: Express, the token's digest, the store, a call to
 * a platform for a change, a line of the log. No SCIM, no mapping, no audit. Argument: a file with `LeastSettings`.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import express, { type Response } from 'express'
import pg from 'pg'
import { destination, pino } from 'pino'
import { Agent, request } from 'undici'

export interface LeastSettings {
  readonly folder: string
  readonly bytes: number
  /** Of what is called for a change. */
  readonly platform: string
  readonly postgres: pg.PoolConfig | undefined
}

/** Documents by key; a write is a transaction of its own, durable when it is answered. */
interface Store {
  read(key: string): Promise<string>
  write(key: string, text: string): Promise<void>
}

const documents = 1_000
const settings: LeastSettings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const text = JSON.stringify({ text: 'x'.repeat(settings.bytes - '{"text":""}'.length) })
const token = hash('sha256', 'token')
const log = pino(destination('/dev/null'))
const agent = new Agent({ connections: 8 })
const store = settings.postgres === undefined ? openSqlite(settings.folder) : await openPostgres(settings.postgres)

const app = express().disable('x-powered-by').disable('etag')
app.get('/read/:key', async ({ params: { key } }, response) => {
  if (hash('sha256', 'token') !== token) throw new Error('refused')
  answer(response, key, await store.read(key))
})
app.get('/change/:key', async ({ params: { key } }, response) => {
  if (hash('sha256', 'token') !== token) throw new Error('refused')
  await store.write(key, text)
  await callPlatform()
  await store.write(key, text)
  answer(response, key, text)
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
})
// The bench comes back after measuring something else; a socket that ends meanwhile would fail its next request.
server.keepAliveTimeout = 600_000

function answer(response: Response, key: string, sent: string): void {
  response.setHeader('Content-Type', 'application/scim+json')
  response.send(Buffer.from(sent))
  log.info({ key }, 'answered')
}

async function callPlatform(): Promise<void> {
  const { body } = await request(settings.platform, { dispatcher: agent })
  await body.text()
}

function openSqlite(folder: string): Store {
  const database = new DatabaseSync(`${folder}/least.sqlite`)
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  database.exec('create table document (key text primary key, text text not null) strict; begin')
  const insert = database.prepare('insert into document (key, text) values (?, ?)')
  for (let index = 0; index < documents; index += 1) insert.run(String(index), text)
  database.exec('commit')
  const select = database.prepare('select text from document where key = ?')
  const update = database.prepare('update document set text = ? where key = ?')
  return {
    read: async (key) => String(select.get(key)?.text),
    async write(key, changed) {
      update.run(changed, key)
    },
  }
}

async function openPostgres(config: pg.PoolConfig): Promise<Store> {
  const pool = new pg.Pool(config)
  await pool.query('create table document (key text primary key, text text not null)')
  const filling = 'insert into document select number::text, $1 from generate_series(0, $2 - 1) as number'
  await pool.query(filling, [text, documents])
  return {
    async read(key) {
      const { rows } = await pool.query<{ text: string }>('select text from document where key = $1', [key])
      return rows[0]?.text ?? ''
    },
    async write(key, changed) {
      await pool.query('update document set text = $1 where key = $2', [changed, key])
    },
  }
}
