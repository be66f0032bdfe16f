/** The image of the Dockerfile without Docker: its steps, done in folders that stand for the stages' root file systems. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { DockerfileParser } from 'dockerfile-ast'
import { root } from '../cli/processes.ts'

export interface Image {
  /** Stands for `/`. */
  readonly folder: string
  readonly workingFolder: string
  readonly environment: Readonly<Record<string, string>>
  readonly user: string
  readonly volumes: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Words of ENTRYPOINT and CMD. */
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
  readonly stopSignal: string
  /** Every `FROM`. */
  readonly bases: readonly string[]
  remove(): void
}

export const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')

interface Stage {
  readonly name: string
  readonly folder: string
  workingFolder: string
}

/** Steps that this does not know are an error: nobody has tried them. */
export function buildImage(): Image {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-image-'))
  const stages: Stage[] = []
  const bases: string[] = []
  let environment: Record<string, string> = {}
  let labels: Record<string, string> = {}
  let volumes: string[] = []
  const words = new Map<string, string>()
  let stage: Stage = { name: '', folder, workingFolder: '/' }
  const runs = new Map<string, (text: string) => void>([
    [
      'FROM',
      (text) => {
        const [base = '', , name = 'last'] = text.split(/\s+/)
        bases.push(base)
        stage = { name, folder: join(folder, name), workingFolder: '/' }
        mkdirSync(stage.folder)
        stages.push(stage)
        environment = {}
        labels = {}
        volumes = []
      },
    ],
    [
      'WORKDIR',
      (text) => {
        stage.workingFolder = text
        mkdirSync(join(stage.folder, text), { recursive: true })
      },
    ],
    ['COPY', (text) => copy(text)],
    ['RUN', (text) => runStep(stage, text)],
    ['LABEL', (text) => Object.assign(labels, assignments(text))],
    ['ENV', (text) => Object.assign(environment, assignments(text))],
    ['VOLUME', (text) => volumes.push(text)],
    ...['USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'].map(
      (keyword): [string, (text: string) => void] => [keyword, (text) => words.set(keyword, text)],
    ),
  ])

  function copy(text: string): void {
    const from = /^--from=(\S+)\s+/.exec(text)
    const [target = '', ...sources] = text
      .slice(from?.[0].length ?? 0)
      .split(/\s+/)
      .reverse()
    const origin = from === null ? root : stages.find(({ name }) => name === from[1])?.folder
    if (origin === undefined) throw new Error(`COPY from an unknown stage: ${text}`)
    for (const source of sources) {
      if (from === null && ignored.has(source)) throw new Error(`${source} is in .dockerignore and copied`)
      const path = join(origin, source)
      const into = resolve(stage.workingFolder, target)
      // A folder is copied as what it holds, a file under its name where the target ends with a slash.
      const isFolder = statSync(path).isDirectory()
      const place = !isFolder && target.endsWith('/') ? join(into, basename(source)) : into
      mkdirSync(dirname(join(stage.folder, place)), { recursive: true })
      cpSync(path, join(stage.folder, place), { recursive: true })
    }
  }

  const lines = dockerfile.split('\n')
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    const run = runs.get(instruction.getKeyword())
    if (run === undefined) throw new Error(`a step that no test knows: ${instruction.getKeyword()}`)
    // With its flags, which the parser's own texts leave out.
    const { start, end } = instruction.getRange()
    const text = lines.slice(start.line, end.line + 1).join('\n')
    run(
      text
        .replace(/^\S+\s+/, '')
        .replaceAll('\\\n', '')
        .trim(),
    )
  }
  const list = (keyword: string): string[] => JSON.parse((words.get(keyword) ?? '[]').replace(/^.*?CMD /, ''))
  return {
    folder: stage.folder,
    workingFolder: join(stage.folder, stage.workingFolder),
    environment,
    user: words.get('USER') ?? 'root',
    volumes,
    labels,
    command: [...list('ENTRYPOINT'), ...list('CMD')],
    healthCheck: list('HEALTHCHECK'),
    stopSignal: words.get('STOPSIGNAL') ?? '',
    bases,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const ignored: ReadonlySet<string> = new Set(readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n'))

/** With this Node and the machine's npm; `/data` and its owner are those of the test. */
function runStep(stage: Stage, text: string): void {
  const owner = `-o ${process.getuid?.() ?? 0} -g ${process.getgid?.() ?? 0}`
  const here = text.replace('-o node -g node', owner).replaceAll(' /data', ` ${stage.folder}/data`)
  execFileSync('sh', ['-ec', here], {
    cwd: join(stage.folder, stage.workingFolder),
    env: plainEnvironment(),
    timeout: 60_000,
  })
}

/** What a build has: no variables of npm, and none of this test. What is cached of packages is not asked for again. */
export function plainEnvironment(): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    HOME: process.env.HOME ?? '/',
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_update_notifier: 'false',
    ...(process.env.npm_config_registry === undefined ? {} : { npm_config_registry: process.env.npm_config_registry }),
  }
}

function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w.-]+)=("[^"]*"|\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll('"', ''),
    ]),
  )
}
