import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { provisionedConnection, readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { requestBudgetMs } from '../limits.ts'
import { type Plan, planUser } from '../provision/plan.ts'
import { normaliseResource } from '../scim/normalise.ts'
import { compileSchemas } from '../scim/schema.ts'

interface PlanOptions {
  readonly config: string
  readonly connection: string
  readonly user: string
  readonly json?: boolean
}

/** `scim-bridge plan`: what a push of a user would write, found out by reading the platform only. */
export function planCommand(): Command {
  return new Command('plan')
    .description('show what a push of a user would write on the platform; reads it and writes nothing')
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .requiredOption('--user <file>', 'a SCIM user as JSON')
    .option('--config <file>', 'configuration', process.env.BRIDGE_CONFIG ?? 'bridge.yaml')
    .option('--json', 'for machines')
    .action(async (options: PlanOptions) => {
      const plan = await planFor(options)
      console.log(
        options.json ? JSON.stringify({ ...plan, changes: Object.fromEntries(plan.changes) }) : planText(plan),
      )
      if (plan.action === 'refuse') process.exitCode = 1
    })
}

async function planFor(options: PlanOptions): Promise<Plan> {
  const config = readConfig(options.config, process.env)
  const connection = config.connections.find(({ name }) => name === options.connection)
  if (connection === undefined) {
    const names = config.connections.map(({ name }) => name).join(', ')
    throw new Error(`${options.config} has no connection '${options.connection}' (have ${names})`)
  }
  const { document } = normaliseResource(compileSchemas().user, readUser(options.user), 'create')
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
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isJsonObject(parsed)) throw new Error(`${file} is not a JSON object`)
  return parsed
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
