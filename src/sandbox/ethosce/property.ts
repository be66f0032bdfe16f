import { Refusal, text } from './answers.ts'

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function unknownProperty(property: string): Refusal {
  return new Refusal(text(406, `Unknown data property ${property}.`))
}

export function readOnly(property: string): Refusal {
  return new Refusal(text(406, `Entity property ${property} doesn't support writing.`))
}

/** `place` is the entity as the entity module names it: `user()`, `user(7)`. */
export function invalidValue(place: string, property: string, value: unknown): Refusal {
  const rule = 'Invalid data value given. Be sure it matches the required data type and format.'
  return new Refusal(text(406, `${rule} Value at ${place}->${property}: ${phpText(value)}.`))
}

export function noParent(property: string): Refusal {
  return new Refusal(text(406, `Unable to set the data property ${property} as the parent data structure is not set.`))
}

/** A value as PHP prints it into a text. */
function phpText(value: unknown): string {
  if (value === null || value === undefined || value === false) return ''
  if (value === true) return '1'
  return typeof value === 'object' ? 'Array' : String(value)
}
