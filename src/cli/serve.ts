import { Command } from 'commander'
import { createBridge, readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'

import { createLog } from '../log.ts'

/** `scim-bridge serve [--config FILE]`: runs until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve SCIM as bridge.yaml says')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { config?: string }) => {
      const file = options.config ?? process.env.BRIDGE_CONFIG ?? 'bridge.yaml'
      const config = readConfig(file, process.env)
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

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once, as people expect of Ctrl-C. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve()
      })
    }
  })
}
