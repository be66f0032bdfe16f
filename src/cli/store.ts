import { resolve } from 'node:path'
import { Command } from 'commander'
import { createBridge, readConfig, sealerOf } from '../bridge.ts'
import { systemClock } from '../clock.ts'
import { type StoreConfig, storeConfig, storeFormat } from '../config/store-format.ts'
import { createLog } from '../log.ts'
import { backupStore, restoreStore } from '../store/backup.ts'
import { placeOf } from '../store/location.ts'
import { plainSealer } from '../store/sealing.ts'
import { configFile } from './serve.ts'
import { installed, type StoreDependencies } from './store-dependencies.ts'
import { storeKeyCommand, storeRekeyCommand } from './store-rekey.ts'

/** Rows after which progress is told. */
const toldEvery = 10_000

/** `scim-bridge store`: what is done with a store as a whole. */
export function storeCommand(dependencies: Partial<StoreDependencies> = {}): Command {
  const all = { ...installed, ...dependencies }
  const { write, tell, environment, clock } = all
  const command = new Command('store').description(
    'back the store up and restore it, encrypt it, or move it to PostgreSQL',
  )
  command
    .command('copy')
    .description(
      'copy a store from SQLite to an empty PostgreSQL, and compare both; no bridge may run. Goes on where it was interrupted',
    )
    .requiredOption('--from <address>', 'sqlite:<file>')
    .option('--to <address>', 'postgres://user@host/database, with $PGPASSWORD (default: the store of bridge.yaml)')
    .option('--json', 'print the outcome as JSON')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { from: string; to?: string; config?: string; json?: boolean }) => {
      const from = addressOf('--from', options.from, environment)
      // Who names both ends needs no configuration, unless it has the key of the source.
      const config =
        options.to === undefined || options.config !== undefined
          ? readConfig(configFile(options.config), environment)
          : undefined
      const to = options.to === undefined ? config?.store : addressOf('--to', options.to, environment)
      if (from.kind !== 'sqlite') throw new Error('--from has to be sqlite:<file>')
      if (to?.kind !== 'postgres') throw new Error('the target has to be postgres://user@host/database')
      let told = 0
      const surroundings = {
        clock,
        log: createLog('silent'),
        sealer: config === undefined ? plainSealer : sealerOf(config),
      }
      const { copyStore } = await import('../store/copy-store.ts')
      const tables = await copyStore(from, to, surroundings, (table, rows) => {
        if (rows - told >= toldEvery || rows < told) tell(`${table}: ${rows}\n`)
        told = rows
      })
      if (options.json === true) return write(`${JSON.stringify({ from: from.file, to: placeOf(to), tables })}\n`)
      for (const { table, rows, sha256 } of tables) write(`${table}: ${rows} rows, sha256 ${sha256}\n`)
      write(`${placeOf(to)} holds the same as ${from.file}: set store in bridge.yaml, then start the bridge\n`)
    })
  command
    .command('migrate')
    .description('bring the store up to date and check configuration and mappings; serves nothing, calls nothing')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async (options: { config?: string }) => {
      // All that a start does before it serves: with several replicas the first of a new release would do it while others are asked.
      const bridge = await createBridge(readConfig(configFile(options.config), environment), {
        clock: systemClock,
        log: createLog('silent'),
      })
      await bridge.stop()
      write('the store is up to date\n')
    })
  command
    .command('backup')
    .description('copy the files of SQLite to a new folder, also while a bridge runs')
    .requiredOption('--to <folder>', 'made when missing')
    .option('--json', 'print the outcome as JSON')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async ({ to, config, json }: { to: string; config?: string; json?: boolean }) => {
      const { files, schema } = await backupStore(sqliteOf(config, environment), resolve(to), clock)
      if (json === true) return write(`${JSON.stringify({ folder: resolve(to), schema, files })}\n`)
      for (const { name, bytes, sha256 } of files) write(`${name}: ${bytes} bytes, sha256 ${sha256}\n`)
      write(`${resolve(to)} is a backup of the store (schema ${schema})\n`)
    })
  command
    .command('restore')
    .description('put a backup in the place of SQLite, which is renamed; no bridge may run')
    .requiredOption('--from <folder>', 'that store backup has made')
    .option('--json', 'print the outcome as JSON')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async ({ from, config, json }: { from: string; config?: string; json?: boolean }) => {
      const location = sqliteOf(config, environment)
      const { list, setAside, keptOff } = await restoreStore(resolve(from), location, {
        clock,
        log: createLog('silent'),
      })
      if (json === true) return write(`${JSON.stringify({ file: location.file, at: list.at, setAside, keptOff })}\n`)
      for (const name of setAside) write(`what was there is ${name} now\n`)
      if (keptOff > 0) write(keptOffText(keptOff))
      write(
        `${location.file} is as it was at ${list.at}: start the bridge, then run scim-bridge reconcile for each connection\n`,
      )
    })
  return command.addCommand(storeKeyCommand(all)).addCommand(storeRekeyCommand(all))
}

function keptOffText(people: number): string {
  const who = people === 1 ? '1 person was' : `${people} people were`
  return `${who} to be on by work that was unfinished then; an account that is off stays off: push whoever is still to be on\n`
}

function sqliteOf(config: string | undefined, environment: StoreDependencies['environment']) {
  const { store } = readConfig(configFile(config), environment)
  if (store.kind === 'sqlite') return store
  throw new Error(`${placeOf(store)} is backed up and restored with pg_dump and pg_restore: see docs/store.md`)
}

function addressOf(option: string, text: string, environment: StoreDependencies['environment']): StoreConfig {
  const parsed = storeFormat.safeParse(text)
  if (!parsed.success)
    throw new Error(`${option}: write sqlite:<file>, or postgres://user@host/database without a password`)
  const { PGPASSWORD: password } = environment
  return storeConfig(parsed.data, (name) => resolve(name), password === undefined ? undefined : () => password)
}
