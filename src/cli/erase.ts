import { Command } from 'commander'
import { readConfig, sealerOf } from '../bridge.ts'
import { type Clock, systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { eraseUser } from '../provision/erase.ts'
import { openExisting } from '../store/open-location.ts'
import { connectionNames } from './connection-names.ts'
import { configFile } from './serve.ts'

export interface EraseDependencies {
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

interface EraseOptions {
  readonly config?: string
  readonly connection: string
  readonly user: string
  readonly json?: boolean
}

const installed: EraseDependencies = {
  write: (text) => process.stdout.write(text),
  environment: process.env,
  clock: systemClock,
}

/** `scim-bridge erase`: forgets one person. SQLite's store belongs to one process, so its bridge has to be stopped. */
export function eraseCommand({ write, environment, clock }: EraseDependencies = installed): Command {
  return new Command('erase')
    .description('remove what the store has of one person who has left; a bridge with SQLite has to be stopped')
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .requiredOption('--user <id>', "the user's SCIM id or userName")
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
    .action(async ({ config, connection, user, json }: EraseOptions) => {
      const read = readConfig(configFile(config), environment)
      connectionNames(read, connection)
      const store = await openExisting(read.store, { clock, log: createLog('silent'), sealer: sealerOf(read) })
      try {
        const { users, auditLines } = await eraseUser(store, clock, connection, user)
        if (json === true) return write(`${JSON.stringify({ connection, users, auditLines })}\n`)
        write(`erased: ${users} ${users === 1 ? 'user' : 'users'}, and the subject of ${auditLines} audit lines\n`)
      } finally {
        await store.close()
      }
    })
}
