import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { provisionedConnection } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { requestBudgetMs } from '../limits.ts'
import { type Plan, planUser } from '../provision/plan.ts'
import { normaliseResource } from '../scim/normalise.ts'
import { compileSchemas } from '../scim/schema.ts'
import { readConnection } from './connection.ts'

interface PlanOptions {
  readonly config?: string
  readonly connection: string
  readonly user: string
  readonly json?: boolean
}

export interface PlanOutput {
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  readonly setExitCode: (code: number) => void
}

const terminal: PlanOutput = {
  write: (text) => process.stdout.write(text),
  setExitCode: (code) => {
    process.exitCode = code
  },
}

/** `scim-bridge plan`: what a push of a user would write, found out by reading the platform only. */
export function planCommand({ write, setExitCode }: PlanOutput = terminal): Command {
  return new Command('plan')
    .description('show what a push of a user would write on the platform; reads it and writes nothing')
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .requiredOption('--user <file>', 'a SCIM user as JSON')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
    .action(async (options: PlanOptions) => {
      const plan = await planFor(options)
      const machineText = () => JSON.stringify({ ...plan, changes: Object.fromEntries(plan.changes) })
      write(`${options.json === true ? machineText() : planText(plan)}\n`)
      if (plan.action === 'refuse') setExitCode(1)
    })
}

async function planFor(options: PlanOptions): Promise<Plan> {
  const { config, connection } = readConnection(options)
  const schemas = compileSchemas({ extensions: connection.extensions })
  const { document } = normaliseResource(schemas.user, readUser(options.user), 'create')
  const provisioned = provisionedConnection(connection, config, systemClock)
  const signal = AbortSignal.timeout(requestBudgetMs)
  const refuse = () => Promise.reject(new Error('a plan writes nothing'))
  try {
    // Links are the running bridge's to know: an account that belongs to another user shows up as one to update.
    return await planUser(
      { signal, beforeWrite: refuse, created: refuse },
      provisioned,
      { ...document, id: 'planned' },
      async () => false,
    )
  } finally {
    await provisioned.platform.close()
  }
}

function readUser(file: string): JsonObject {
  const parsed = parsedJson(readText(file))
  if (!isJsonObject(parsed)) throw new Error(`${file} is not a SCIM user: a JSON object is wanted`)
  return parsed
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`${file} cannot be read`, { cause })
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const sentences = {
  create: 'a new account would be made',
  update: 'the account would be changed',
  nothing: 'the account is as wanted; nothing would be written',
  refuse: 'this would be refused; nothing would be written',
} as const

function planText(plan: Plan): string {
  const lines: string[] = [sentences[plan.action]]
  if (plan.accountId !== undefined) lines.push(`  account ${plan.accountId}`)
  for (const [name, value] of plan.changes) lines.push(`  ${name}: ${JSON.stringify(value)}`)
  if (plan.drift.length > 0) lines.push(`  left as they are: ${plan.drift.join(', ')}`)
  if (plan.reason !== undefined) lines.push(`  ${plan.reason}`)
  return lines.join('\n')
}
