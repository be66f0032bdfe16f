/** Request bodies as the Java side reads them: only members that are present count, and scalars are converted. */
import { internalError, invalidRequest } from './answers.ts'

export type Members = ReadonlyMap<string, unknown>

/** Throws INVALID_REQUEST unless the body is a JSON object. */
export function parseMembers(body: string): Members {
  return members(parseJson(body))
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw invalidRequest()
  }
}

export function members(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidRequest()
  return new Map(Object.entries(value))
}

/** Undefined when absent, null or blank. */
export function textOf(input: Members, name: string): string | undefined {
  const value = input.get(name)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'object') throw invalidRequest(`JSON parse error: ${name}`)
  const text = String(value)
  return text.trim() === '' ? undefined : text
}

/** An explicit null reaches a primitive and fails inside the server. */
export function flagOf(input: Members, name: string, absent: boolean): boolean {
  if (!input.has(name)) return absent
  const value = input.get(name)
  if (value === null) throw internalError()
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw invalidRequest(`JSON parse error: ${name}`)
}

/** Undefined when absent or null; throws INVALID_REQUEST when it is no whole number. */
export function idOf(input: Members, name: string): number | undefined {
  const value = input.get(name)
  if (value === undefined || value === null) return undefined
  const id = typeof value === 'string' ? Number(value) : value
  if (typeof id !== 'number' || !Number.isInteger(id)) throw invalidRequest(`JSON parse error: ${name}`)
  return id
}

/** A number of a query; throws INVALID_REQUEST when it is none. */
export function numberOf(query: URLSearchParams, name: string, absent: number): number {
  const text = query.get(name)
  if (text === null || text === '') return absent
  if (!/^-?\d{1,9}$/.test(text)) throw invalidRequest(`Invalid value of ${name}`)
  return Number(text)
}

export function listOf(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).filter((value) => value !== '')
}
