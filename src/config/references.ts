/**
 * `${NAME}` and `{ file: … }` in place of text. A secret that is written out in bridge.yaml ends in version control and
 * in backups, so it is refused unless the operator insists.
 */
import { resolve } from 'node:path'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { type WatchedFile, watchFile } from '../watched-file.ts'
import { isOutgoingSecret, isSecretOfCaller, isStoreKey } from './access-format.ts'
import { secretSettings } from './format.ts'
import { unreadable } from './unreadable.ts'

export type PathPart = string | number
/** `message` never contains a value. */
export type Report = (path: readonly PathPart[], message: string) => void

export interface ReferenceOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly allowLiteralSecrets: boolean
  readonly report: Report
  /** Told of every file that a value came from. */
  readonly noteFile: (path: readonly PathPart[], file: WatchedFile) => void
  /** Told of every file that stands for text: which place, and the file's absolute path. */
  readonly fileRead: (path: readonly PathPart[], file: string) => void
}

const reference = /\$(\$?)\{([^}]*)\}/g

/** The same tree with every reference replaced. */
export function resolveReferences(value: Json, options: ReferenceOptions, path: readonly PathPart[] = []): Json {
  if (typeof value === 'string') return resolveText(value, options, path)
  if (Array.isArray(value)) return value.map((entry, index) => resolveReferences(entry, options, [...path, index]))
  if (!isJsonObject(value)) return value
  if (mayBeFile(path) && typeof value.file === 'string' && Object.keys(value).length === 1) {
    return readSecret(resolveText(value.file, options, [...path, 'file']), options, path)
  }
  const resolved: JsonObject = {}
  for (const [name, entry] of Object.entries(value)) resolved[name] = resolveReferences(entry, options, [...path, name])
  return resolved
}

/** What callers prove themselves with, and we; the store's password and keys; and `connections.<name>.settings.….<secret>`. */
function isSecretPlace(path: readonly PathPart[]): boolean {
  if (isSecretOfTheBridge(path)) return true
  return path[0] === 'connections' && path[2] === 'settings' && secretSettings.has(String(path.at(-1)))
}

/** Where `{ file: … }` may stand for text: where secrets are, and every setting. */
function mayBeFile(path: readonly PathPart[]): boolean {
  if (isSecretOfTheBridge(path)) return true
  return path[0] === 'connections' && path.length >= 4 && path[2] === 'settings'
}

function isSecretOfTheBridge(path: readonly PathPart[]): boolean {
  return isSecretOfCaller(path) || isOutgoingSecret(path) || isStorePassword(path) || isStoreKey(path)
}

function isStorePassword(path: readonly PathPart[]): boolean {
  return path.length === 2 && path[0] === 'store' && path[1] === 'password'
}

function resolveText(text: string, options: ReferenceOptions, path: readonly PathPart[]): string {
  let hasReference = false
  const resolved = text.replaceAll(reference, (whole, dollar: string, name: string) => {
    if (dollar !== '') return whole.slice(1)
    hasReference = true
    const value = Object.hasOwn(options.environment, name) ? options.environment[name] : undefined
    if (value === undefined || value === '') options.report(path, `the environment variable ${name} is not set`)
    return value ?? ''
  })
  if (isSecretPlace(path) && !hasReference && !options.allowLiteralSecrets) {
    options.report(path, `a secret is not written here: write "\${NAME}" and set the variable NAME, or { file: path }`)
  }
  return resolved
}

function readSecret(file: string, options: ReferenceOptions, path: readonly PathPart[]): string {
  try {
    const absolute = resolve(options.directory, file)
    const watched = watchFile(absolute)
    options.noteFile(path, watched)
    options.fileRead(path, absolute)
    return watched.text()
  } catch (error) {
    const problem = unreadable(error, 'it is not there; relative names begin at the folder of bridge.yaml')
    options.report(path, `this file ${problem}`)
    return ''
  }
}
