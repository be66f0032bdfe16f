import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import { type Located, parseLocated, positionOf, toJson } from '../yaml/located.ts'
import { type FileProblem, FileProblems } from '../yaml/problems.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Config, ConnectionConfig } from './config.ts'
import { configFormat, knownKeys } from './format.ts'
import { type PathPart, resolveReferences } from './references.ts'

const fileBytes = 1_048_576

export interface ConfigOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Word of a platform → shape of its settings; undefined: no such platform. */
  readonly settingsOf: (platform: string) => z.ZodType | undefined
  readonly platforms: readonly string[]
}

/** Throws `FileProblems`: everything that is wrong with the file, each with its place and what to write instead. */
export function loadConfig(file: string, options: ConfigOptions): Config {
  const absolute = resolve(file)
  const problems: FileProblem[] = []
  const root = parseLocated(file, readText(file), (problem) => problems.push(problem), { bytes: fileBytes })
  if (root === undefined) throw new FileProblems(problems)
  const report = (path: readonly PathPart[], message: string) => {
    problems.push({ ...positionOf(root, path), path: path.join('.'), message })
  }
  const written = toJson(root)
  const resolved = resolveReferences(written, {
    environment: options.environment,
    directory: dirname(absolute),
    allowLiteralSecrets: isJsonObject(written) && written.allowLiteralSecrets === true,
    report,
  })
  const parsed = configFormat.safeParse(resolved)
  if (!parsed.success) reportIssues(parsed.error, root, report)
  if (!parsed.success) throw new FileProblems(problems)
  const connections = Object.entries(parsed.data.connections).map(([name, connection]): ConnectionConfig => {
    const { allowHttp, ...rest } = connection
    const place = ['connections', name]
    if (connection.baseUrl.startsWith('http:') && !allowHttp) {
      report([...place, 'baseUrl'], 'credentials would go out in clear text: use https, or say allowHttp: true for this host')
    }
    const settings = settingsOf(connection.platform, connection.settings, place, options, report)
    return {
      ...rest,
      name,
      mapping: rest.mapping === undefined ? undefined : resolve(dirname(absolute), rest.mapping),
      pace: rest.pace,
      retryAfterDeniedSeconds: rest.retryAfterDeniedSeconds,
      settings,
    }
  })
  if (connections.length === 0) report(['connections'], 'there is no connection: name at least one')
  if (problems.length > 0) throw new FileProblems(problems)
  const { publicUrl, listen, log, retry, store } = parsed.data
  const storeFile = resolve(dirname(absolute), store.slice('sqlite:'.length))
  return { file: absolute, publicUrl, listen, log, retry, store: { kind: 'sqlite', file: storeFile }, connections }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new FileProblems([
      { file, line: 1, column: 1, path: '', message: 'cannot be read: name a file with --config or BRIDGE_CONFIG, or write bridge.yaml' },
    ])
  }
}

function settingsOf(
  platform: string,
  settings: JsonObject,
  place: readonly PathPart[],
  options: ConfigOptions,
  report: (path: readonly PathPart[], message: string) => void,
): JsonObject {
  const format = options.settingsOf(platform)
  if (format === undefined) {
    report([...place, 'platform'], `no platform '${platform}'${suggestion(platform, options.platforms)}`)
    return settings
  }
  const parsed = format.safeParse(settings)
  for (const issue of parsed.error?.issues ?? []) {
    const path = [...place, 'settings', ...issue.path.map(asPart)]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) report([...path, key], `unknown key: ${platform} has no such setting`)
    } else report(path, messageOf(issue))
  }
  return settings
}

function reportIssues(error: z.ZodError, root: Located, report: (path: readonly PathPart[], message: string) => void): void {
  for (const issue of error.issues) {
    const path = issue.path.map(asPart)
    if (issue.code === 'unrecognized_keys') {
      const general = path.map((part, index) => (index === 1 && path[0] === 'connections' ? '*' : part)).join('.')
      for (const key of issue.keys) report([...path, key], `unknown key${suggestion(key, knownKeys.get(general) ?? [])}`)
    } else if (issue.code === 'invalid_key') report(path, issue.issues[0]?.message ?? issue.message)
    else report(path, isWritten(root, path) ? messageOf(issue) : 'is missing')
  }
}

function isWritten(root: Located, path: readonly PathPart[]): boolean {
  let node: Located | undefined = root
  for (const part of path) {
    if (node?.kind === 'map') node = node.entries.get(String(part))?.value
    else if (node?.kind === 'list') node = node.items[Number(part)]
    else return false
  }
  return node !== undefined
}

/** zod's own words, without the value that it found: it may be a secret. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `has to be one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return `has to be ${issue.expected === 'string' ? 'text' : issue.expected}`
  if (issue.code === 'too_small' && issue.origin === 'array') return 'has to have at least one entry'
  return issue.message
}

function asPart(part: PropertyKey): PathPart {
  return typeof part === 'number' ? part : String(part)
}
