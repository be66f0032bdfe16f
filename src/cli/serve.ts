import { Command } from 'commander'
import { createBridge, readConfig } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { stopSignal } from './stop-signal.ts'

/** A start that takes longer, as the migration of a large store may, is broken off: it is as if it had not begun. */
const startGraceMs = 5_000

/** `scim-bridge serve [--config FILE]`: runs until SIGTERM, SIGINT or SIGHUP. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve SCIM as bridge.yaml says')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { config?: string }) => {
      let isStopped = false
      const stopped = stopSignal().then(() => {
        isStopped = true
      })
      const config = readConfig(configFile(options.config), process.env)
      const log = createLog(config.log.level)
      const takenOver = Promise.withResolvers<void>()
      const surroundings = { clock: systemClock, log, onTakenOver: takenOver.resolve }
      const bridge = await orBrokenOff(createBridge(config, surroundings), stopped)
      if (!isStopped) {
        const { host, port } = await bridge.listen()
        log.info(
          { host, port, publicUrl: config.publicUrl, connections: config.connections.map(({ name }) => name) },
          'serving',
        )
      }
      await Promise.race([stopped, takenOver.promise])
      log.info('stopping')
      await bridge.stop()
      // Nothing is written without the store: whoever looks after this process is to start it again.
      if (!isStopped) process.exitCode = 1
    })
}

async function orBrokenOff<Started>(starting: Promise<Started>, stopped: Promise<void>): Promise<Started> {
  const ended = new AbortController()
  void stopped
    .then(() => systemClock.sleep(startGraceMs, ended.signal))
    .then(
      () => process.exit(1),
      () => undefined,
    )
  try {
    return await starting
  } finally {
    ended.abort(new Error('the start is over'))
  }
}

/** An empty variable is as good as none. */
export function configFile(option: string | undefined): string {
  return option ?? (process.env.BRIDGE_CONFIG || 'bridge.yaml')
}
