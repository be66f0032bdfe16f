/** `scim-bridge mapping …`: checks mapping files and says what they do. Calls no platform. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { namedMappings } from '../config/named-mappings.ts'
import { Problem } from '../errors.ts'
import { userUrn } from '../extensions.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { runExamples } from '../mapping/examples.ts'
import { explain } from '../mapping/explain.ts'
import { mappingJsonSchema } from '../mapping/format.ts'
import type { LoadedMapping } from '../mapping/load.ts'
import { MappingProblems } from '../mapping/problems.ts'
import { type FactsOf, readMappingFile } from '../mapping/read.ts'
import { platforms } from '../platforms/registry.ts'
import { normaliseResource } from '../scim/normalise.ts'
import { compileSchemas } from '../scim/schema.ts'
import { explanationText } from './explanation-text.ts'
import { configFile } from './serve.ts'

export interface MappingDependencies {
  readonly factsOf: FactsOf
  /** The folder `mappings/` of this package. */
  readonly builtInMappings: string
  /** What `bridge.yaml` may name with `${…}`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Writes to standard output; the text ends with a newline. */
  readonly write: (text: string) => void
  readonly setExitCode: (code: number) => void
}

const installed: MappingDependencies = {
  factsOf: (platform) => platforms.get(platform)?.facts,
  builtInMappings: join(import.meta.dirname, '..', '..', 'mappings'),
  environment: process.env,
  write: (text) => process.stdout.write(text),
  setExitCode: (code) => {
    process.exitCode = code
  },
}

interface FileOptions {
  readonly config?: string
  readonly json?: true
}

const configurationOption = 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)'

/** Ends with 0 when all is well, 1 when a mapping is not, and commander's error (2) for wrong usage. */
export function mappingCommand(dependencies: MappingDependencies = installed): Command {
  const command = new Command('mapping').description('check, test and explain mapping files; no platform is called')
  command
    .command('check')
    .description(
      'list everything that is wrong in mapping files; when none is named, in those of bridge.yaml and all built-in ones',
    )
    .argument('[file...]')
    .option('--config <file>', configurationOption)
    .option('--json', 'for machines')
    .action((files: string[], options: FileOptions) =>
      check(dependencies, filesOrAll(dependencies, files, options.config), options.json === true),
    )
  command
    .command('test')
    .description('run the examples of mapping files; when none is named, of those of bridge.yaml and all built-in ones')
    .argument('[file...]')
    .option('--config <file>', configurationOption)
    .option('--json', 'for machines')
    .action((files: string[], options: FileOptions) =>
      test(dependencies, filesOrAll(dependencies, files, options.config), options.json === true),
    )
  command
    .command('explain')
    .description('say, attribute by attribute, what a mapping makes of a person')
    .argument('<file>', 'a mapping file, or the name of a platform or connection in mappings/')
    .requiredOption('--user <file>', 'a SCIM User as JSON')
    .option('--groups <names>', 'groups of the person, separated by commas', '')
    .option('--json', 'for machines')
    .action((file: string, options: { user: string; groups: string; json?: true }, self: Command) => {
      const user = readUser(options.user)
      if ('wrong' in user) return self.error(`error: --user: ${options.user} ${user.wrong}`, { exitCode: 2 })
      explainOne(dependencies, file, user.document, options.groups, options.json === true)
    })
  command
    .command('schema')
    .description('print the JSON Schema of mapping files, for editors')
    .action(() => dependencies.write(schemaText()))
  return command
}

/** The contents of `mappings/mapping.schema.json`. */
export function schemaText(): string {
  return `${JSON.stringify(mappingJsonSchema(), null, 1)}\n`
}

function check(dependencies: MappingDependencies, files: readonly string[], isJson: boolean): void {
  const results = files.map((file) => ({ file, ...read(dependencies, file) }))
  const problems = results.flatMap((result) => result.problems?.problems ?? [])
  if (isJson) dependencies.write(`${JSON.stringify({ files: results.map(({ file }) => file), problems })}\n`)
  else {
    for (const { file, problems: wrong } of results) dependencies.write(`${wrong?.message ?? `${file}: ok`}\n`)
  }
  if (problems.length > 0) dependencies.setExitCode(1)
}

function test(dependencies: MappingDependencies, files: readonly string[], isJson: boolean): void {
  const results = filesWithBases(dependencies, files).map(({ file, loaded, problems }) => {
    const facts = loaded && dependencies.factsOf(loaded.mapping.platform)
    const examples = loaded && facts ? runExamples(loaded, facts) : []
    return { file, problems: problems?.problems ?? [], message: problems?.message, examples }
  })
  const all = results.flatMap((result) => result.examples)
  const failed = all.filter((example) => !example.ok).length
  if (isJson) {
    dependencies.write(
      `${JSON.stringify(results.map(({ file, problems, examples }) => ({ file, problems, examples })))}\n`,
    )
  } else {
    for (const { file, message, examples } of results) {
      if (message !== undefined) dependencies.write(`${message}\n`)
      for (const { name, ok, message: why } of examples) {
        dependencies.write(`${file}: ${ok ? 'ok' : 'FAILED'}: ${name}${why === undefined ? '' : `: ${why}`}\n`)
      }
    }
    dependencies.write(`${all.length - failed} examples passed, ${failed} failed\n`)
  }
  if (failed > 0 || results.some(({ problems }) => problems.length > 0)) dependencies.setExitCode(1)
}

interface FileRead {
  readonly file: string
  readonly loaded?: LoadedMapping
  readonly problems?: MappingProblems
}

/** Each file, and after it the one that it extends: a mapping is loaded only when the examples of both pass. */
function filesWithBases(dependencies: MappingDependencies, files: readonly string[]): readonly FileRead[] {
  const seen = new Set(files.map((file) => resolve(file)))
  return files.flatMap((file): FileRead[] => {
    const result = read(dependencies, file)
    const base = result.loaded?.base
    if (base === undefined || seen.has(resolve(base.file))) return [{ file, ...result }]
    seen.add(resolve(base.file))
    return [
      { file, ...result },
      { file: base.file, loaded: base },
    ]
  })
}

function explainOne(
  dependencies: MappingDependencies,
  name: string,
  user: JsonObject,
  groupNames: string,
  isJson: boolean,
): void {
  const { mapping } = readMappingFile(fileNamed(dependencies, name), dependencies.factsOf, { withoutExamples: true })
  const facts = dependencies.factsOf(mapping.platform)
  if (facts === undefined) throw new Error(`no platform '${mapping.platform}'`)
  const groups = groupNames
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
  const explanation = explain(
    mapping,
    facts,
    withId(user),
    groups.map((group) => ({ displayName: group, externalId: group })),
  )
  dependencies.write(isJson ? `${JSON.stringify(explanation)}\n` : explanationText(explanation))
}

/** A person that is sent to the bridge has no id yet; any id shows what the rules make of it. */
function withId(user: JsonObject): JsonObject {
  return Object.hasOwn(user, 'id') ? user : { id: '00000000-0000-4000-8000-000000000000', ...user }
}

function readUser(file: string): { readonly document: JsonObject } | { readonly wrong: string } {
  try {
    const user: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isJsonObject(user) ? { document: asKept(user) } : { wrong: 'is not a SCIM User in JSON' }
  } catch (error) {
    return { wrong: error instanceof Problem ? `would be refused: ${error.message}` : 'is not a SCIM User in JSON' }
  }
}

/**
 * As the bridge would keep it and map it: what is refused there is refused here. A mapping file does not say what its
 * connection declares, so extensions stay as they are.
 */
function asKept(user: JsonObject): JsonObject {
  const schemas = compileSchemas()
  const { document } = normaliseResource(schemas.user, { schemas: [userUrn], ...user }, 'create')
  const extensions = Object.entries(user).filter(
    ([name, value]) => isJsonObject(value) && /^urn:/i.test(name) && !schemas.user.extensions.has(name.toLowerCase()),
  )
  return {
    ...Object.fromEntries(extensions),
    ...(Object.hasOwn(user, 'id') ? { id: user.id ?? null } : {}),
    ...document,
  }
}

function read(dependencies: MappingDependencies, file: string): Omit<FileRead, 'file'> {
  try {
    return { loaded: readMappingFile(file, dependencies.factsOf, { withoutExamples: true }) }
  } catch (error) {
    if (error instanceof MappingProblems) return { problems: error }
    throw error
  }
}

/** One's own come first; without a configuration, as beside the product's own source, there are none. */
function filesOrAll(
  { builtInMappings, environment }: MappingDependencies,
  files: readonly string[],
  config: string | undefined,
): readonly string[] {
  if (files.length > 0) return files
  const configuration = configFile(config)
  const isThere = config !== undefined || existsSync(configuration)
  const named = isThere ? namedMappings(configuration, environment) : []
  const builtIn = [builtInMappings, join(builtInMappings, 'connections')].filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => join(folder, name)),
  )
  return [...new Set([...named, ...builtIn])].map((file) => relative('', file))
}

function fileNamed({ builtInMappings }: MappingDependencies, name: string): string {
  if (existsSync(name) || !/^[A-Za-z0-9_-]+$/.test(name)) return name
  const candidates = [join(builtInMappings, 'connections', `${name}.yaml`), join(builtInMappings, `${name}.yaml`)]
  return candidates.find(existsSync) ?? name
}
