import { Command } from 'commander'
import { createBridge, readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { configFile } from './serve.ts'

export interface StoreOutput {
  readonly write: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

const terminal: StoreOutput = { write: (text) => process.stdout.write(text), environment: process.env }

/**
 * `scim-bridge store migrate`: all that a start does before it serves. For several replicas, of which the first one of a
 * new version would otherwise migrate while others are asked.
 */
export function storeCommand({ write, environment }: StoreOutput = terminal): Command {
  const migrate = new Command('migrate')
    .description('bring the store up to date and check configuration and mappings; serves nothing, calls nothing')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { config?: string }) => {
      const config = readConfig(configFile(options.config), environment)
      const bridge = await createBridge(config, { clock: systemClock, log: createLog('silent') })
      await bridge.stop()
      write('the store is up to date\n')
    })
  return new Command('store').description("the bridge's own database").addCommand(migrate)
}
