import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { shortestSecret } from '../access.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import type { WatchedFile } from '../watched-file.ts'
import { childOf, parseLocated, positionOf, toJson } from '../yaml/located.ts'
import { type FileProblem, FileProblems } from '../yaml/problems.ts'
import { suggestion } from '../yaml/suggest.ts'
import { isSecretOfCaller, secretPlaces } from './access-format.ts'
import { alarmsConfig, checkAlarms } from './alarms-format.ts'
import type { Config, ConnectionConfig } from './config.ts'
import { configFormat, knownKeys, secretSettings } from './format.ts'
import { type IssueContext, reportIssues } from './issues.ts'
import { checkOutgoing, type HostProblem } from './outgoing-url.ts'
import { type PathPart, type Report, resolveReferences } from './references.ts'
import { storeConfig, type WrittenStore } from './store-format.ts'
import { checkTelemetry, tracesConfig } from './telemetry-format.ts'
import { unreadable } from './unreadable.ts'

/** Hundreds of connections fit. */
export const fileBounds = { bytes: 1_048_576, depth: 32 }

export interface ConfigOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Word of a platform → shape of its settings; undefined: no such platform. */
  readonly settingsOf: (platform: string) => z.ZodType | undefined
  readonly platforms: readonly string[]
  /** What is wrong with the host of a base URL; whether inner addresses are allowed is said. */
  readonly hostProblem?: HostProblem
}

/** Throws `FileProblems`: everything that is wrong with the file, each with its place and what to write instead. */
export function loadConfig(file: string, options: ConfigOptions): Config {
  const absolute = resolve(file)
  const problems: FileProblem[] = []
  const root = parseLocated(file, readText(file), (problem) => problems.push(problem), fileBounds)
  if (root === undefined) throw new FileProblems(problems)
  const reported = new Set<string>()
  const report = (path: readonly PathPart[], message: string) => {
    const place = path.join('.')
    // One problem a place: a variable that is not set would also be too short, and no URL.
    if (reported.has(place)) return
    reported.add(place)
    problems.push({ ...positionOf(root, path), path: place, message })
  }
  const written = toJson(root)
  const allowsLiteralSecrets = isJsonObject(written) && written.allowLiteralSecrets === true
  const secretFiles = new Map<string, Map<string, WatchedFile>>()
  const callerFiles = new Map<string, string>()
  const watchedFiles = new Map<string, WatchedFile>()
  const resolved = resolveReferences(written, {
    environment: options.environment,
    directory: dirname(absolute),
    allowLiteralSecrets: allowsLiteralSecrets,
    report,
    noteFile: (path, watched) => {
      watchedFiles.set(path.join('.'), watched)
      const [, connection, part, ...names] = path
      noteSecret(secretFiles, connection, part, names, watched)
    },
    fileRead: (path, secretFile) => {
      if (isSecretOfCaller(path)) callerFiles.set(path.join('.'), secretFile)
    },
  })
  const isWritten = (path: readonly PathPart[]) => childOf(root, path) !== undefined
  const parsed = configFormat.safeParse(resolved)
  reportIssues(parsed.error?.issues ?? [], [], { report, isWritten, knownKeys: keysAt })
  if (parsed.success && Object.keys(parsed.data.connections).length === 0) {
    report(['connections'], 'there is no connection: name at least one')
  }
  if (!allowsLiteralSecrets) for (const place of secretPlaces) checkSecrets(resolved, place, [], report)
  for (const [name, connection] of connectionsOf(resolved)) {
    checkConnection(connection, ['connections', name], options, { report, isWritten })
  }
  checkAlarms(resolved, options.hostProblem, report)
  checkTelemetry(resolved, options.hostProblem, report)
  if (!parsed.success || problems.length > 0) throw new FileProblems(problems)
  const { encryption, publicUrl, listen, log, retry, limits, retention, store, connections, trustedProxies } =
    parsed.data
  const { metrics, console, alarms, telemetry } = parsed.data
  const path = (name: string) => resolve(dirname(absolute), name)
  const present = (place: string, text: string) => {
    const watched = watchedFiles.get(place)
    return watched === undefined ? () => text : () => watched.text()
  }
  const { tls } = listen
  const listenTls = tls === undefined ? {} : { tls: { certificate: path(tls.certificate), key: path(tls.key) } }
  return {
    file: absolute,
    publicUrl,
    listen: { host: listen.host, port: listen.port, ...listenTls },
    log,
    retry,
    alarms: alarmsConfig(alarms, path, present),
    traces: tracesConfig(telemetry, present),
    trustedProxies,
    metrics: { tokens: metrics?.tokens ?? [] },
    console: { tokens: console?.tokens ?? [], oidc: console?.oidc },
    secretFiles: callerFiles,
    limits,
    retention,
    encryption: { key: encryption?.key, formerKeys: encryption?.formerKeys ?? [] },
    store: storeConfig(store, path, passwordOf(store, watchedFiles.get('store.password'))),
    connections: Object.entries(connections).map(([name, { allowHttp: _, ...connection }]): ConnectionConfig => {
      const mapping = connection.mapping === undefined ? undefined : path(connection.mapping)
      const { pace, retryAfterDeniedSeconds, reconcile, tls } = connection
      const { tokens = [], basic = [], oauth, entra, oidc = [], allowFrom } = connection
      const access = { tokens, basic, oauth, entra, oidc, allowFrom }
      const files = Object.entries(tls ?? {}).map(([kind, name]) => [kind, path(name)])
      const extensions = Object.entries(connection.extensions).map(([urn, { attributes }]) => ({
        urn,
        attributes: Object.entries(attributes).map(([attribute, rest]) => ({ name: attribute, ...rest })),
      }))
      return {
        ...connection,
        ...access,
        name,
        mapping,
        pace,
        retryAfterDeniedSeconds,
        reconcile,
        extensions,
        tls: tls === undefined ? undefined : Object.fromEntries(files),
        secretFiles: secretFiles.get(name) ?? new Map(),
      }
    }),
  }
}

function passwordOf(store: WrittenStore, file: WatchedFile | undefined): (() => string) | undefined {
  if (file !== undefined) return () => file.text()
  const password = typeof store === 'string' ? undefined : store.password
  return password === undefined ? undefined : () => password
}

/** Only what a platform signs in with is read anew, and only where it stands right in the settings. */
function noteSecret(
  known: Map<string, Map<string, WatchedFile>>,
  connection: PathPart | undefined,
  part: PathPart | undefined,
  names: readonly PathPart[],
  watched: WatchedFile,
): void {
  const [name] = names
  if (part !== 'settings' || names.length !== 1 || !secretSettings.has(String(name))) return
  const ofConnection = known.get(String(connection)) ?? new Map<string, WatchedFile>()
  known.set(String(connection), ofConnection.set(String(name), watched))
}

/** Throws `FileProblems`. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new FileProblems([
      {
        file,
        line: 1,
        column: 1,
        path: '',
        message: unreadable(error, 'name a file with --config or BRIDGE_CONFIG, or write bridge.yaml'),
      },
    ])
  }
}

/** What can be looked at even when the file's form is wrong elsewhere: all problems are told at once. */
function connectionsOf(resolved: Json): readonly [string, JsonObject][] {
  if (!isJsonObject(resolved) || !isJsonObject(resolved.connections)) return []
  return Object.entries(resolved.connections).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]))
}

/** A demonstration on this machine may have a token that is easy to type; whoever serves others may not. */
function checkSecrets(value: Json, rest: readonly string[], path: readonly PathPart[], report: Report): void {
  const [part, ...deeper] = rest
  if (part === undefined) {
    if (typeof value === 'string' && value.length < shortestSecret) {
      report(path, `is shorter than ${shortestSecret} characters: a token has to be hard to guess`)
    }
  } else if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) checkSecrets(entry, deeper, [...path, index], report)
  } else if (isJsonObject(value)) {
    for (const [key, entry] of Object.entries(value)) {
      if (part === '*' || part === key) checkSecrets(entry, deeper, [...path, key], report)
    }
  }
}

function checkConnection(
  connection: JsonObject,
  place: readonly PathPart[],
  options: ConfigOptions,
  { report, isWritten }: Pick<IssueContext, 'report' | 'isWritten'>,
): void {
  const { platform, baseUrl, settings = {} } = connection
  const outgoing = { url: baseUrl, place: [...place, 'baseUrl'], what: 'credentials', beside: connection }
  checkOutgoing(outgoing, options.hostProblem, report)
  if (typeof platform !== 'string') return
  const format = options.settingsOf(platform)
  if (format === undefined) {
    report([...place, 'platform'], `no platform '${platform}'${suggestion(platform, options.platforms)}`)
    return
  }
  const issues = format.safeParse(settings).error?.issues ?? []
  const knownKeys = () => (format instanceof z.ZodObject ? Object.keys(format.shape) : [])
  reportIssues(issues, [...place, 'settings'], { report, isWritten, knownKeys })
}

function keysAt(path: readonly PathPart[]): readonly string[] {
  const general = path.map((part, index) => (isName(path, index) ? '*' : part)).join('.')
  return knownKeys.get(general) ?? []
}

/** Whether the part is a name of the operator's own (of a connection, an extension or its attribute), or a place in a list. */
function isName(path: readonly PathPart[], index: number): boolean {
  if (typeof path[index] === 'number') return true
  if (path[0] !== 'connections') return false
  return index === 1 || (path[2] === 'extensions' && (index === 3 || (index === 5 && path[4] === 'attributes')))
}
