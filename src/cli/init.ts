import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command, Option } from 'commander'
import { parse } from 'yaml'
import { builtInMappings, readConfig } from '../bridge.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { FileProblems } from '../yaml/problems.ts'
import { configText, type InitAnswers, mappingText, neededSettings, variablesOf } from './init-files.ts'
import { configFile } from './serve.ts'

export interface InitDependencies {
  readonly write: (text: string) => void
  /** Undefined: nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}

interface Options {
  readonly config?: string
  readonly platform?: string
  readonly name?: string
  readonly publicUrl?: string
  readonly baseUrl?: string
  readonly mode: 'confirmed' | 'deferred'
  readonly setting: Readonly<Record<string, string>>
  readonly allowHttp?: boolean
  readonly allowPrivateAddresses?: boolean
  readonly json?: boolean
}

/** `scim-bridge init`: a first bridge.yaml and a mapping of one's own. Asks on a terminal for what the options leave out. */
export function initCommand(dependencies?: InitDependencies): Command {
  return new Command('init')
    .description('write a first bridge.yaml, and a mapping that extends the shipped one; replaces no file')
    .addOption(new Option('--platform <platform>', 'what accounts are made on').choices([...neededSettings.keys()]))
    .option('--name <name>', 'of the connection, in small letters: part of its address (default: the platform)')
    .option('--public-url <url>', 'where identity providers reach the bridge')
    .option('--base-url <url>', "where the platform's documented paths begin")
    .addOption(
      new Option('--mode <mode>', 'when a change is answered').choices(['confirmed', 'deferred']).default('confirmed'),
    )
    .option(
      '--setting <name=value>',
      'a setting of the platform that is no secret: user, domain, userId; may be repeated',
      collect,
      {},
    )
    .option('--allow-private-addresses', 'the platform is in this machine or in a private network')
    .option('--allow-http', 'the platform is called without TLS: for tests only')
    .option('--config <file>', 'the file to write (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
    .action((options: Options) => (dependencies === undefined ? onTerminal(options) : init(dependencies, options)))
}

async function onTerminal(options: Options): Promise<void> {
  const write = (text: string) => void process.stdout.write(text)
  if (!process.stdin.isTTY || options.json === true) return init({ write, ask: undefined }, options)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    await init({ write, ask: (question) => lines.question(question) }, options)
  } finally {
    lines.close()
  }
}

async function init({ write, ask }: InitDependencies, options: Options): Promise<void> {
  const file = resolve(configFile(options.config))
  refuseToReplace(file)
  const answers = await answersOf(ask, options)
  const mapping = join(dirname(file), 'mappings', `${answers.name}.yaml`)
  refuseToReplace(mapping)
  const text = configText(answers, `mappings/${answers.name}.yaml`)
  mkdirSync(dirname(mapping), { recursive: true })
  writeFileSync(mapping, mappingText(answers.platform, shippedExample(answers.platform)), { flag: 'wx' })
  // Secrets stand elsewhere, and who runs the bridge is nobody else's business all the same.
  writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
  const variables = variablesOf(answers)
  try {
    // Each mistake in an answer is told with its line, as at any start.
    readConfig(file, Object.fromEntries(variables.map((variable) => [variable, 'x'.repeat(32)])))
  } catch (error) {
    for (const written of [file, mapping]) rmSync(written)
    throw inOptions(error, answers.name)
  }
  if (options.json === true) return write(`${JSON.stringify({ config: file, mapping, variables })}\n`)
  write(`written: ${file}\n         ${mapping}\n`)
  write(`set ${variables.join(' and ')} in the environment of the bridge; then: scim-bridge check --config ${file}\n`)
  write(`${variables[0]} is of your own making and goes to the identity provider, too: openssl rand -base64 32\n`)
}

function refuseToReplace(file: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already: nothing is replaced; name another one with --config`)
}

async function answersOf(ask: InitDependencies['ask'], options: Options): Promise<InitAnswers> {
  const need = async (given: string | undefined, option: string, question: string, usual?: string): Promise<string> => {
    if (given !== undefined) return given
    if (ask === undefined) {
      if (usual !== undefined) return usual
      throw new Error(`${option} is needed: nobody is at a terminal to be asked`)
    }
    const answer = (await ask(usual === undefined ? `${question}: ` : `${question} [${usual}]: `)).trim()
    if (answer !== '') return answer
    if (usual === undefined) throw new Error(`${option} is needed`)
    return usual
  }
  const known = [...neededSettings.keys()].join(', ')
  const platform = await need(options.platform, '--platform', `Platform (${known})`)
  const needed = neededSettings.get(platform)
  if (needed === undefined) throw new Error(`there is no platform '${platform}' (have ${known})`)
  const name = await need(options.name, '--name', 'Name of the connection, part of its address', platform)
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name))
    throw new Error(`--name ${name}: a connection is named by small letters, digits and hyphens`)
  const publicUrl = await need(
    options.publicUrl,
    '--public-url',
    'Address at which identity providers reach the bridge',
  )
  const baseUrl = await need(options.baseUrl, '--base-url', `Address of ${platform}`, needed.baseUrl)
  const settings: Record<string, string | number> = {}
  for (const setting of needed.asked) {
    const given = Object.hasOwn(options.setting, setting) ? options.setting[setting] : undefined
    const usual = setting === 'domain' ? 'openspecimen' : undefined
    const text = await need(given, `--setting ${setting}=…`, `Service account: ${setting}`, usual)
    settings[setting] = setting === 'userId' && /^\d+$/.test(text) ? Number(text) : text
  }
  const { mode, allowHttp = false, allowPrivateAddresses = false } = options
  return { platform, name, publicUrl, baseUrl, mode, settings, allowHttp, allowPrivateAddresses }
}

/** What is wrong with the answers, by the options that gave them: the file is not there any more. */
function inOptions(error: unknown, name: string): unknown {
  if (!(error instanceof FileProblems)) return error
  const lines = error.problems.map(({ path, message }) => {
    const text = message
      .replace('say allowHttp: true', 'give --allow-http')
      .replace('say allowPrivateAddresses: true', 'give --allow-private-addresses')
    return `${optionOf(path, `connections.${name}.`)}: ${text}`
  })
  return new Error(`nothing is written\n${lines.join('\n')}`, { cause: error })
}

function optionOf(path: string, connection: string): string {
  if (path === 'publicUrl') return '--public-url'
  if (path === `${connection}baseUrl`) return '--base-url'
  const setting = path.startsWith(`${connection}settings.`) ? path.slice(`${connection}settings.`.length) : undefined
  return setting === undefined ? path : `--setting ${setting}=…`
}

function collect(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=')
  return at < 1 ? { ...before, [text]: '' } : { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** A mapping has an example of its own, which runs at every start: the first of the shipped one is as good as any. */
function shippedExample(platform: string): JsonObject {
  const shipped: unknown = parse(readFileSync(join(builtInMappings, `${platform}.yaml`), 'utf8'))
  const examples = isJsonObject(shipped) && Array.isArray(shipped.examples) ? shipped.examples : []
  const example = examples.find((one) => isJsonObject(one) && isJsonObject(one.account) && one.was === undefined)
  if (!isJsonObject(example)) throw new Error(`the mapping of ${platform} has no example`)
  return example
}
