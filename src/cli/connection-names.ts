import type { Config } from '../config/config.ts'

/** The one that was named, or all. Throws, with the names that there are, when it is none of them. */
export function connectionNames(config: Config, name: string | undefined): readonly string[] {
  const names = config.connections.map((connection) => connection.name)
  if (name === undefined) return names
  if (!names.includes(name)) throw new Error(`${config.file} has no connection '${name}' (have ${names.join(', ')})`)
  return [name]
}
