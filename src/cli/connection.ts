import { readConfig } from '../bridge.ts'
import type { Config, ConnectionConfig } from '../config/config.ts'
import { configFile } from './serve.ts'

/** The configuration and the connection of `--config` and `--connection`. */
export function readConnection(options: { readonly config?: string; readonly connection: string }): {
  readonly config: Config
  readonly connection: ConnectionConfig
} {
  const file = configFile(options.config)
  const config = readConfig(file, process.env)
  const connection = config.connections.find(({ name }) => name === options.connection)
  if (connection !== undefined) return { config, connection }
  const names = config.connections.map(({ name }) => name).join(', ')
  throw new Error(`${file} has no connection '${options.connection}' (have ${names})`)
}
