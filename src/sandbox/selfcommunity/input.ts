/** Reading bodies: JSON objects and web forms, and the checks that several calls share. */
import type { SimulatorRequest } from '../simulator.ts'
import { type FieldProblem, invalidField, invalidFields, refusal } from './answers.ts'

export type Fields = ReadonlyMap<string, unknown>

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** No body at all is an empty object. */
export function readFields(request: SimulatorRequest): Fields {
  if (request.body.trim() === '') return new Map()
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/x-www-form-urlencoded') return new Map(new URLSearchParams(request.body))
  if (type !== 'application/json') throw refusal(400, 'parse_error', `Unsupported media type "${type}" in request.`)
  let parsed: unknown
  try {
    parsed = JSON.parse(request.body)
  } catch {
    throw refusal(400, 'parse_error', 'JSON parse error')
  }
  if (!isRecord(parsed)) throw refusal(400, 'invalid', 'Invalid data. Expected a dictionary.')
  return new Map(Object.entries(parsed))
}

/** Undefined when absent; a problem's code or undefined as the check says. */
export interface FieldReader {
  text(name: string, limits?: { readonly least?: number; readonly most?: number }): string | undefined
  boolean(name: string): boolean | undefined
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined
  /** Whole numbers; undefined also for `null`. */
  ids(name: string): readonly number[] | undefined
  require(name: string): void
  report(field: string, code: string, message: string): void
  /** Throws one 400 with all that was reported. */
  finish(): void
}

export function fieldReader(fields: Fields): FieldReader {
  const problems: FieldProblem[] = []
  const report: FieldReader['report'] = (field, code, message) => {
    problems.push([field, code, message])
  }
  return {
    report,
    require(name) {
      if (!fields.has(name)) report(name, 'required', 'This field is required.')
    },
    text(name, { least = 0, most = Number.POSITIVE_INFINITY } = {}) {
      const value = fields.get(name)
      if (value === undefined) return undefined
      if (typeof value !== 'string' || value.includes('\u0000')) report(name, 'invalid', 'Not a valid string.')
      else if ([...value].length > most) report(name, 'max_length', `No more than ${most} characters.`)
      else if ([...value].length < least) report(name, 'min_length', `At least ${least} characters.`)
      else return value
      return undefined
    },
    boolean(name) {
      const value = fields.get(name)
      if (value === undefined) return undefined
      const known = toBoolean(value)
      if (known === undefined) report(name, 'invalid', 'Must be a valid boolean.')
      return known
    },
    choice(name, choices) {
      const value = fields.get(name)
      if (value === undefined) return undefined
      const known = choices.find((choice) => choice === value)
      if (known === undefined) report(name, 'invalid', 'Not a valid choice.')
      return known
    },
    ids(name) {
      const value = fields.get(name)
      if (value === undefined || value === null) return undefined
      if (Array.isArray(value) && value.every((id) => Number.isSafeInteger(id))) return value
      report(name, 'invalid', 'Not a list of ids.')
      return undefined
    },
    finish() {
      if (problems.length > 0) throw invalidFields(problems)
    },
  }
}

export function toBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 1 || value === '1' || value === 'true') return true
  if (value === false || value === 0 || value === '0' || value === 'false') return false
  return undefined
}

export const emailMaxLength = 254
export function isEmail(value: string): boolean {
  return value.length <= emailMaxLength && /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)*$/.test(value)
}

export function isWebAddress(value: string): boolean {
  return URL.canParse(value) && /^https?:/i.test(value)
}

/** 8 to 128 characters of at least three of: lower, upper, digit, special. */
export function isStrongPassword(value: string): boolean {
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length
  return value.length >= 8 && value.length <= 128 && classes >= 3
}

export const usernameMaxLength = 255
/** Never an e-mail address: no `@`, no dot, and not dashes alone. */
export function isUsername(value: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(value) && /[A-Za-z0-9]/.test(value)
}

export function requiredText(fields: Fields, name: string): string {
  const reader = fieldReader(fields)
  reader.require(name)
  const value = reader.text(name)
  reader.finish()
  if (value === undefined || value === '') throw invalidField(name, 'required', 'This field may not be blank.')
  return value
}
