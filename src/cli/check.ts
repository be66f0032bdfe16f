/** `scim-bridge check`: whether a bridge with this configuration would work, and what to mend. Writes nothing anywhere. */
import { Command } from 'commander'
import { provisionedConnection, readConfig, sealerOf } from '../bridge.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Config, ConnectionConfig } from '../config/config.ts'
import { requestBudgetMs } from '../limits.ts'
import { createLog } from '../log.ts'
import { namedByMapping } from '../mapping/named.ts'
import { StoreRefused } from '../store/failures.ts'
import { inspectStore } from '../store/inspect.ts'
import { placeOf } from '../store/location.ts'
import { openBesideBridge } from '../store/open-location.ts'
import { FileProblems } from '../yaml/problems.ts'
import { checkEmail } from './check-email.ts'
import { type Checked, clockFinding, storeFindings, textOf } from './check-findings.ts'
import { connectionNames } from './connection-names.ts'
import { type Output, terminal } from './output.ts'
import { configFile } from './serve.ts'

export interface CheckDependencies {
  readonly output: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

const installed: CheckDependencies = { output: terminal, environment: process.env, clock: systemClock }

interface Options {
  readonly config?: string
  readonly connection?: string
  readonly offline?: boolean
  readonly json?: boolean
}

/** Nothing failed, and something is left for a person to look at. */
const warningExit = 3

export function checkCommand(dependencies: CheckDependencies = installed): Command {
  return new Command('check')
    .description(
      'look at configuration, store, clock, the mail server for alarms, and each platform: credentials, rights, and the ids that the mapping names; writes nothing',
    )
    .option('--connection <name>', 'only this connection of bridge.yaml (default: all of them)')
    .option('--offline', 'call no platform and no mail server')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
    .action((options: Options) => check(dependencies, options))
}

async function check({ output, environment, clock }: CheckDependencies, options: Options): Promise<void> {
  const { write, progress, setExitCode } = output
  const all: Checked[] = []
  const tell = (found: readonly Checked[]) => {
    all.push(...found)
    progress('')
    if (options.json !== true) for (const one of found) write(textOf(one))
  }
  try {
    const config = readConfig(configFile(options.config), environment)
    const names = connectionNames(config, options.connection)
    tell([
      ok('configuration', 'bridge.yaml', `${config.file}: ${config.connections.length} connections, secrets present`),
    ])
    tell(await checkStore(config, clock))
    tell(await checkEmail(config, options.offline === true))
    for (const connection of config.connections) {
      if (!names.includes(connection.name)) continue
      progress(`asking ${connection.name}`)
      tell(await checkConnection(config, connection, clock, options.offline === true))
    }
  } catch (error) {
    if (!(error instanceof FileProblems)) throw error
    tell([
      { area: 'configuration', name: 'files', result: 'failed', seen: error.message, remedy: 'mend the places named' },
    ])
  }
  const failed = all.filter(({ result }) => result === 'failed').length
  const warned = all.filter(({ result }) => result === 'warning').length
  if (options.json === true) write(`${JSON.stringify({ isOk: failed === 0, checks: all })}\n`)
  else write(`${failed} failed, ${warned} to look at, ${all.length} checks\n`)
  if (failed > 0) setExitCode(1)
  else if (warned > 0) setExitCode(warningExit)
}

async function checkStore(config: Config, clock: Clock): Promise<readonly Checked[]> {
  const { store } = config
  if (store.kind === 'sqlite') return storeFindings(inspectStore(store, clock.now()))
  try {
    const beside = await openBesideBridge(store, { clock, log: createLog('silent'), sealer: sealerOf(config) })
    try {
      return [ok('store', 'database', `${placeOf(store)}${(await beside.isHeld()) ? ', in use by a bridge' : ''}`)]
    } finally {
      await beside.close()
    }
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error
    const remedy = 'mend what it says; scim-bridge store migrate makes what is missing'
    return [{ area: 'store', name: 'database', result: 'failed', seen: error.message, remedy }]
  }
}

async function checkConnection(
  config: Config,
  connection: ConnectionConfig,
  clock: Clock,
  isOffline: boolean,
): Promise<readonly Checked[]> {
  const { name } = connection
  let skewMs: number | undefined
  const noteDate = (date: string) => {
    const at = Date.parse(date)
    if (!Number.isNaN(at)) skewMs ??= clock.now() - at
  }
  const provisioned = made(() => provisionedConnection(connection, config, clock, { noteDate }))
  if (provisioned instanceof Error) {
    return [
      {
        area: name,
        name: 'mapping and files',
        result: 'failed',
        seen: provisioned.message,
        remedy: 'mend the places named',
      },
    ]
  }
  const mapped = ok(name, 'mapping', connection.mapping ?? `mappings/${connection.platform}.yaml of this release`)
  try {
    if (isOffline) return [mapped]
    const nothing = () => Promise.reject(new Error('a check writes nothing'))
    const call = { signal: AbortSignal.timeout(requestBudgetMs), beforeWrite: nothing, created: nothing }
    const steps = await provisioned.platform.probe(call, namedByMapping(provisioned.mapping))
    return [mapped, ...steps.map((step) => ({ area: name, ...step })), ...clockFinding(name, skewMs)]
  } finally {
    await provisioned.platform.close()
  }
}

/** A mapping or certificate that cannot be used is one thing to tell, not the end of the other checks. */
function made<Result>(make: () => Result): Result | Error {
  try {
    return make()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

function ok(area: string, name: string, seen: string): Checked {
  return { area, name, result: 'ok', seen, remedy: undefined }
}
