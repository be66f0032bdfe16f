import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Role, roles } from '../access.ts'
import { readConfig } from '../bridge.ts'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { makeSigningKey } from '../http/authentication/access-tokens.ts'
import { sha256 } from '../http/authentication/digest.ts'
import { tokenPrefix } from '../http/authentication/stored-tokens.ts'
import { createLog } from '../log.ts'
import type { Credentials, StoredToken } from '../store/credentials.ts'
import { openCredentialsOf } from '../store/open-location.ts'
import { configFile } from './serve.ts'

const dayMs = 86_400_000
/** Long enough for nobody to be surprised, short enough for a forgotten one to end (RFC 7644 §7.4). */
const defaultDays = 365
const tokenBytes = 32

export interface TokenOutput {
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  /** For people, where standard output is for programs. */
  readonly tell: (text: string) => void
  readonly clock: Clock
}

const terminal: TokenOutput = {
  write: (text) => process.stdout.write(text),
  tell: (text) => process.stderr.write(text),
  clock: systemClock,
}

interface Options {
  readonly config?: string
  readonly connection: string
  readonly name?: string
  readonly json?: boolean
}

/**
 * `scim-bridge token`: works beside a bridge that runs, which takes or refuses the token from its next request on. With
 * SQLite tokens are in a file of their own beside the store, which is why the store's one process is not in the way.
 */
export function tokenCommand({ write, tell, clock }: TokenOutput = terminal): Command {
  const create = inner('create', 'make a bearer token and show it, once')
    .option('--name <name>', 'what it is called in lists and logs', tokenName)
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('provision'))
    .option('--expires <when>', 'a date (2027-12-31), days (90d), or never', `${defaultDays}d`)
    .action(async (options: Options & { role: Role; expires: string }) => {
      const now = clock.now()
      const expiresAt = expiry(options.expires, now)
      const { connection, role, name = `${role}-${new Date(now).toISOString().slice(0, 10)}` } = options
      const token = `${tokenPrefix}${randomBytes(tokenBytes).toString('base64url')}`
      const digest = sha256(token).toString('hex')
      await withCredentials(options, clock, (credentials) =>
        credentials.addToken({ connection, name, role, sha256: digest, createdAt: now, expiresAt }),
      )
      const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()
      write(options.json === true ? `${JSON.stringify({ connection, name, role, expires, token })}\n` : `${token}\n`)
      tell(`'${name}' may ${role} on ${connection} ${expires === undefined ? 'for ever' : `until ${expires}`}. `)
      tell('It is not shown again.\n')
    })
  const list = inner('list', 'show the tokens of a connection, never the secret').action(async (options: Options) => {
    const tokens = await withCredentials(options, clock, async (credentials) =>
      [...(await credentials.tokens()).values()].filter(({ connection }) => connection === options.connection),
    )
    const rows = tokens.map((token) => shown(token, clock.now()))
    if (options.json === true) return write(`${JSON.stringify(rows)}\n`)
    for (const { name, role, state, expires, lastUsed } of rows) {
      write(`${name}  ${role}  ${state}  expires ${expires ?? 'never'}  last used ${lastUsed ?? 'never'}\n`)
    }
  })
  const revoke = inner('revoke', 'end a token; it is refused from the next request on')
    .requiredOption('--name <name>', 'which one')
    .action(async (options: Options & { name: string }) => {
      const { connection, name } = options
      const wasThere = await withCredentials(options, clock, (credentials) =>
        credentials.revokeToken(connection, name, clock.now()),
      )
      if (!wasThere) throw new Error(`${connection} has no token '${name}' that could be revoked`)
      write(
        options.json === true ? `${JSON.stringify({ connection, name, state: 'revoked' })}\n` : `${name} is revoked\n`,
      )
    })
  const rotate = inner('rotate-key', 'sign access tokens with a new key; those signed before stay valid to their end')
    .option('--at-once', 'after a leak: forget the old keys, and with them every access token that was issued')
    .action(async (options: Options & { atOnce?: boolean }) => {
      const { kid } = await withCredentials(options, clock, (credentials, config) => {
        const connection = config.connections.find(({ name }) => name === options.connection)
        if (connection?.oauth === undefined) throw new Error(`${options.connection} has no OAuth clients`)
        return makeSigningKey(credentials, connection.name, connection.oauth.algorithm, clock.now(), options.atOnce)
      })
      write(options.json === true ? `${JSON.stringify({ connection: options.connection, kid })}\n` : `${kid}\n`)
    })
  const command = new Command('token').description(
    'bearer tokens of a connection, and the key that signs access tokens',
  )
  for (const one of [create, list, revoke, rotate]) command.addCommand(one)
  return command
}

function inner(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
}

async function withCredentials<Result>(
  options: Options,
  clock: Clock,
  work: (credentials: Credentials, config: Config) => Promise<Result>,
): Promise<Result> {
  const file = configFile(options.config)
  const config = readConfig(file, process.env)
  if (!config.connections.some(({ name }) => name === options.connection)) {
    const names = config.connections.map(({ name }) => name).join(', ')
    throw new Error(`${file} has no connection '${options.connection}' (have ${names})`)
  }
  const credentials = await openCredentialsOf(config.store, { log: createLog('silent'), now: clock.now() })
  try {
    return await work(credentials, config)
  } finally {
    await credentials.close()
  }
}

function shown({ name, role, createdAt, expiresAt, lastUsedAt, revokedAt }: StoredToken, now: number) {
  const isOver = expiresAt !== undefined && now >= expiresAt
  return {
    name,
    role,
    state: revokedAt !== undefined ? 'revoked' : isOver ? 'expired' : 'valid',
    created: time(createdAt),
    expires: time(expiresAt),
    lastUsed: time(lastUsedAt),
    revoked: time(revokedAt),
  }
}

function time(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}

function tokenName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) {
    throw new InvalidArgumentError('A name has 1 to 64 letters, digits and . _ -')
  }
  return text
}

function expiry(text: string, now: number): number | undefined {
  if (text === 'never') return undefined
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  const at = days !== undefined ? now + Number(days) * dayMs : dateOf(text)
  if (at === undefined) throw new Error(`--expires ${text} is no date (2027-12-31), number of days (90d) or never`)
  if (at <= now) throw new Error(`--expires ${text} is in the past`)
  return at
}

/** The end of that day, in UTC; undefined when there is no such day. */
function dateOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const at = Date.parse(`${text}T00:00:00Z`)
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
  return isDay ? at + dayMs : undefined
}
