import { Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import type { AuditFault, VerifiedAudit } from '../store/audit-verify.ts'
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
    .description('follow the chain of hashes; ends with 1 when a line was changed, put in or taken out, and names it')
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
      const verified = await audit.verifyAudit(connection)
      const { rows, erased, brokenAt = null, fault = null } = verified
      if (fault !== null) setExitCode(1)
      write(
        isJson
          ? `${JSON.stringify({ connection, lines: rows, erased, brokenAt, fault })}\n`
          : `${connection}: ${verifiedText(verified)}\n`,
      )
    }
  } finally {
    await audit.close()
  }
}

const faultTexts: Readonly<Record<AuditFault, string>> = {
  altered: 'is not as it was written, or not where it was written',
  missing: 'is MISSING',
  inserted: 'was INSERTED',
  blanked: 'tells of nobody, as after an erasure, and no erasure names it',
  refilled: 'tells of somebody, and the erasure of a person names it',
}

function verifiedText({ rows, erased, brokenAt, fault }: VerifiedAudit): string {
  const lines = erased === 0 ? `${rows} lines` : `${rows} lines, a person was erased from ${erased} of them`
  return fault === undefined
    ? `${lines}; nothing was changed`
    : `${lines}; CHANGED: line ${brokenAt} ${faultTexts[fault]}`
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number is wanted.')
  return Number(text)
}
