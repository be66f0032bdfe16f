import { Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import { openAuditOf } from '../store/open-location.ts'
import { connectionNames } from './connection-names.ts'
import { configFile } from './serve.ts'

const batch = 1_000

export interface AuditOutput {
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  readonly setExitCode: (code: number) => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

const terminal: AuditOutput = {
  write: (text) => process.stdout.write(text),
  setExitCode: (code) => {
    process.exitCode = code
  },
  environment: process.env,
}

/** `scim-bridge audit …`: reads the audit trail; a bridge that is using the store is not disturbed. */
export function auditCommand(output: AuditOutput = terminal): Command {
  const command = new Command('audit').description('export the audit trail, or check that nothing of it was changed')
  command
    .command('export')
    .description('print the audit lines of a connection as JSON, one a line')
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .option('--after <id>', 'only lines after the one with this id', wholeNumber, 0)
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async ({ config, connection, after }: { config?: string; connection: string; after: number }) => {
      const read = readConfig(configFile(config), output.environment)
      connectionNames(read, connection)
      await exportLines(read, connection, after, output)
    })
  command
    .command('verify')
    .description('follow the chain of hashes; ends with 1 when a line was changed or is missing')
    .option('--connection <name>', 'connection of bridge.yaml (default: all of them)')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
    .action(async ({ config, connection, json }: { config?: string; connection?: string; json?: boolean }) => {
      const read = readConfig(configFile(config), output.environment)
      await verify(read, connectionNames(read, connection), output, json === true)
    })
  return command
}

async function exportLines(config: Config, connection: string, after: number, { write }: AuditOutput): Promise<void> {
  const audit = await openAuditOf(config.store, { clock: systemClock, log: createLog('silent') })
  try {
    let last = after
    for (;;) {
      const entries = await audit.readAudit(connection, last, batch)
      if (entries.length === 0) return
      write(entries.map((entry) => `${JSON.stringify({ connection, ...entry })}\n`).join(''))
      last = entries.at(-1)?.id ?? last
    }
  } finally {
    await audit.close()
  }
}

async function verify(
  config: Config,
  connections: readonly string[],
  { write, setExitCode }: AuditOutput,
  isJson: boolean,
) {
  const audit = await openAuditOf(config.store, { clock: systemClock, log: createLog('silent') })
  try {
    for (const connection of connections) {
      const { rows, brokenAt } = await audit.verifyAudit(connection)
      if (brokenAt !== undefined) setExitCode(1)
      if (isJson) {
        write(`${JSON.stringify({ connection, lines: rows, brokenAt: brokenAt ?? null })}\n`)
        continue
      }
      const found = brokenAt === undefined ? 'nothing was changed' : `CHANGED OR MISSING at line ${brokenAt}`
      write(`${connection}: ${rows} lines, ${found}\n`)
    }
  } finally {
    await audit.close()
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number is wanted.')
  return Number(text)
}
