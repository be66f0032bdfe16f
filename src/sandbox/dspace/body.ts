/** Bodies of POST and PATCH as Jackson reads them. */
import { Refusal, unprocessable } from './answers.ts'
import type { Call } from './call.ts'
import type { Metadata, MetadataValue } from './state.ts'

/** Columns of the database; a longer value is its error, 500. */
export const columnLength = { email: 64, netid: 64, name: 250 } as const

const knownFields: ReadonlySet<string> = new Set([
  'eperson.firstname',
  'eperson.lastname',
  'eperson.phone',
  'eperson.language',
  'eperson.orcid',
  'eperson.orcid.scope',
  'dc.title',
  'dc.description',
])

export function requireContentType(call: Call, ...allowed: readonly string[]): void {
  const given = (call.request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!allowed.includes(given)) throw new Refusal(415, `Content-Type '${given}' is not supported`)
}

/** Throws 422 for what is no object, and for unknown properties where the mapper is strict. */
export function readObject(call: Call, known: readonly string[]): ReadonlyMap<string, unknown> {
  requireContentType(call, 'application/json', 'application/hal+json')
  const fields = toMap(parse(call.request.body))
  if (fields === undefined) throw unparseable()
  const isStrict = call.knobs.unknownProperty === 'refused'
  if (isStrict && [...fields.keys()].some((name) => !known.includes(name))) throw unparseable()
  return fields
}

export function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

export function toMap(value: unknown): ReadonlyMap<string, unknown> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? new Map(Object.entries(value)) : undefined
}

const unparseable = () => unprocessable('Error parsing request body')

/** Undefined for absent and null. */
export function text(fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name) ?? undefined
  if (value !== undefined && typeof value !== 'string') throw unparseable()
  return value
}

/** Absent is false. */
export function flag(fields: ReadonlyMap<string, unknown>, name: string): boolean {
  const value = toBoolean(fields.get(name) ?? false)
  if (value === undefined) throw unparseable()
  return value
}

export function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  const word = value.toLowerCase()
  return word === 'true' || word === 'false' ? word === 'true' : undefined
}

/** Throws 422 for fields that no registry knows. */
export function readMetadata(value: unknown): Metadata {
  if (value === undefined || value === null) return new Map()
  const fields = toMap(value)
  if (fields === undefined) throw unparseable()
  return new Map(
    [...fields].map(([field, values]) => {
      requireField(field)
      if (!Array.isArray(values)) throw unparseable()
      return [field, values.map(readValue)]
    }),
  )
}

export function requireField(field: string): void {
  if (!knownFields.has(field)) throw unprocessable(`The metadata field ${field} does not exist`)
}

/** A text, or an object with a text `value`. */
export function readValue(value: unknown): MetadataValue {
  const parts = typeof value === 'string' ? new Map([['value', value]]) : toMap(value)
  if (parts === undefined) throw unparseable()
  const content = text(parts, 'value')
  if (content === undefined) throw unparseable()
  const confidence = parts.get('confidence') ?? -1
  if (typeof confidence !== 'number') throw unparseable()
  return {
    value: content,
    language: text(parts, 'language') ?? null,
    authority: text(parts, 'authority') ?? null,
    confidence,
  }
}
