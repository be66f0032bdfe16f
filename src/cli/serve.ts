import { Command } from 'commander'
import { createBridge, readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { stopSignal } from './stop-signal.ts'

/** `scim-bridge serve [--config FILE]`: runs until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve SCIM as bridge.yaml says')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { config?: string }) => {
      const config = readConfig(configFile(options.config), process.env)
      const log = createLog(config.log.level)
      const bridge = await createBridge(config, { clock: systemClock, log })
      const stopped = stopSignal()
      const { host, port } = await bridge.listen()
      log.info(
        { host, port, publicUrl: config.publicUrl, connections: config.connections.map(({ name }) => name) },
        'serving',
      )
      await stopped
      log.info('stopping')
      await bridge.stop()
    })
}

/** An empty variable is as good as none. */
export function configFile(option: string | undefined): string {
  return option ?? (process.env.BRIDGE_CONFIG || 'bridge.yaml')
}
