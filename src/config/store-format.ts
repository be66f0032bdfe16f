/** The part of `bridge.yaml` that says where everything is kept. */
import { isIP } from 'node:net'
import { z } from 'zod'

/** Many, for one process: PostgreSQL's own default is 100 for all. */
const mostConnections = 100
const schemaText = 'has to be a small letter, then small letters, digits and _ (at most 63)'
const file = z.string().min(1)

const address = z.string().superRefine((text, context) => {
  const message = isSqlite(text) ? undefined : addressProblem(text)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** A PostgreSQL with everything that may be said of it. */
export const postgresFormat = z.strictObject({
  url: z.string().superRefine((text, context) => {
    const message = addressProblem(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }),
  password: z.string().min(1).optional(),
  tls: z
    .union([
      z.literal('off'),
      z
        .strictObject({ ca: file.optional(), certificate: file.optional(), key: file.optional() })
        .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
          error: 'certificate and key belong together: name both',
        }),
    ])
    .optional(),
  schema: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, { error: schemaText })
    .optional(),
  connections: z.number().int().min(2).max(mostConnections).default(10),
  statementSeconds: z.number().int().min(1).max(60).default(10),
})

export const storeFormat = z
  .union([address, postgresFormat], {
    error: 'has to be sqlite:<file>, postgres://user@host/database, or { url: …, password: … }',
  })
  .default('sqlite:data/bridge.sqlite')

export type WrittenStore = z.output<typeof storeFormat>

const sqlite = 'sqlite:'

function isSqlite(text: string): boolean {
  return text.startsWith(sqlite) && text.length > sqlite.length
}

function addressProblem(text: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(text)) return 'has to be sqlite:<file> or postgres://user@host/database'
  const parsed = URL.parse(text)
  if (parsed === null) return 'is not an address: write postgres://user@host/database'
  if (parsed.password !== '')
    return 'has a password in it: write store: { url: …, password: … } instead, where it can be a reference'
  if (parsed.username === '') return 'names no user: write postgres://user@host/database'
  if (!/^\/[^/]+$/.test(parsed.pathname)) return 'names no database: write postgres://user@host/database'
  const names = [...parsed.searchParams.keys()]
  if (names.some((name) => name.startsWith('ssl'))) {
    return 'says how TLS is spoken: leave that out, it is on and checked (verify-full) by itself; write store: { url: …, tls: { ca: … } } for your own authority'
  }
  if (parsed.hash !== '' || names.some((name) => name !== 'host') || names.length > 1) {
    return 'has settings of its own: only host=<folder of a socket> may follow the question mark'
  }
  if (names.length === 1 && !parsed.searchParams.get('host')?.startsWith('/')) {
    return 'names a host that is no folder of a socket: write postgres://user@host/database'
  }
  return undefined
}

export type StoreConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | {
      readonly kind: 'postgres'
      readonly host: string
      readonly port: number
      readonly user: string
      readonly database: string
      /** As it is now: it may come from a file that is replaced. */
      readonly password: (() => string) | undefined
      /** Paths of PEM files; undefined: no TLS. */
      readonly tls: { readonly ca?: string; readonly certificate?: string; readonly key?: string } | undefined
      readonly schema: string | undefined
      readonly connections: number
      readonly statementMs: number
    }

/** `path` makes paths absolute; `password` is asked for the present one. */
export function storeConfig(
  written: WrittenStore,
  path: (name: string) => string,
  password: (() => string) | undefined,
): StoreConfig {
  if (typeof written === 'string' && isSqlite(written)) {
    return { kind: 'sqlite', file: path(written.slice(sqlite.length)) }
  }
  const { url, tls, schema, connections, statementSeconds } =
    typeof written === 'string' ? postgresFormat.parse({ url: written }) : written
  const parsed = new URL(url)
  const host = parsed.searchParams.get('host') ?? parsed.hostname.replace(/^\[|\]$/g, '')
  return {
    kind: 'postgres',
    host,
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    password,
    tls: tlsOf(tls, host, path),
    schema,
    connections,
    statementMs: statementSeconds * 1_000,
  }
}

/** On unless it was switched off, but within this machine. */
function tlsOf(tls: z.output<typeof postgresFormat>['tls'], host: string, path: (name: string) => string) {
  if (tls === 'off') return undefined
  if (tls !== undefined) return Object.fromEntries(Object.entries(tls).map(([kind, name]) => [kind, path(name)]))
  return isOfThisMachine(host) ? undefined : {}
}

function isOfThisMachine(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
