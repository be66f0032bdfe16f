/**
 * `node configure.ts FOLDER`: adds to the demonstration's `FOLDER/bridge.yaml` two connections for each of its own, to the same
 * platform: `<name>-lenient`, with the mapping of `mappings/` here, for which a userName is enough, and which
 * answers nothing that it was not sent; and `<name>-answering`,
 * which answers a PATCH of a group with the group.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../../src/bridge.ts'
import { isJsonObject } from '../../src/json.ts'

const [folder = '.'] = process.argv.slice(2)
// A mapping extends files of its own folder only.
cpSync(builtInMappings, join(folder, 'mappings'), { recursive: true })
cpSync(fileURLToPath(new URL('mappings', import.meta.url)), join(folder, 'mappings', 'connections'), {
  recursive: true,
})
const file = join(folder, 'bridge.yaml')
const config: unknown = parse(readFileSync(file, 'utf8'))
if (!isJsonObject(config) || !isJsonObject(config.connections)) throw new Error(`${file} has no connections`)
const connections = Object.entries(config.connections).flatMap(([name, connection]) => {
  if (!isJsonObject(connection)) throw new Error(`${file}: ${name} is no connection`)
  // scim2-cli makes an option of each attribute, and cannot make one of an extension that it does not know.
  const { extensions: _, ...plain } = connection
  const mapping = `mappings/connections/${connection.platform}.yaml`
  return [
    [name, connection],
    [`${name}-lenient`, { ...plain, mapping, unknownMembers: 'ignore', computedAttributes: 'hide' }],
    [`${name}-answering`, { ...connection, groupPatchAnswer: 'group', unknownMembers: 'ignore' }],
  ]
})
const all = { ...config, connections: Object.fromEntries(connections) }
writeFileSync(file, stringify(all, { aliasDuplicateObjects: false }))
