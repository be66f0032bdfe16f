/** Where a store is. */
export interface SqliteLocation {
  readonly kind: 'sqlite'
  readonly file: string
}

export interface PostgresLocation {
  readonly kind: 'postgres'
  /** A name, an address, or the folder of a socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Undefined: the server asks for none. Read anew for every connection. */
  readonly password: (() => string) | undefined
  /** Undefined: no TLS. Paths of PEM files. The server's name is always checked. */
  readonly tls: { readonly ca?: string; readonly certificate?: string; readonly key?: string } | undefined
  /** Undefined: the first of the user's search path. */
  readonly schema: string | undefined
  /** At most so many connections of this process. */
  readonly connections: number
  readonly statementMs: number
}

export type StoreLocation = SqliteLocation | PostgresLocation

/** For people; without secrets. */
export function placeOf(location: StoreLocation): string {
  if (location.kind === 'sqlite') return location.file
  const { host, port, database } = location
  return `the database ${database} on ${host.startsWith('/') ? host : `${host}:${port}`}`
}
