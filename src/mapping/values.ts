import type { AttributeFact, PlatformFacts } from '../facts.ts'
import { isJsonObject, type Json } from '../json.ts'

/** "No value" is absent, `null`, `""` and `[]`, in SCIM and on a platform. */
export function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

/** Equal as the platform sees it: without letter case where the facts say so. */
export function isEqual(a: Json, b: Json, caseExact: boolean): boolean {
  if (a === b) return true
  if (typeof a === 'string' && typeof b === 'string') return !caseExact && a.toLowerCase() === b.toLowerCase()
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index] ?? null, caseExact))
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const other = new Map(Object.entries(b))
  const entries = Object.entries(a)
  if (entries.length !== other.size) return false
  return entries.every(([name, value]) => {
    const opposite = other.get(name)
    return opposite !== undefined && isEqual(value, opposite, caseExact)
  })
}

export function factOf(facts: PlatformFacts, attribute: string): AttributeFact | undefined {
  const fact = facts.attributes.get(attribute)
  if (fact !== undefined) return fact
  // The prefix alone (`field_`) is no attribute.
  return facts.openAttributes.find(({ prefix }) => attribute.length > prefix.length && attribute.startsWith(prefix))
    ?.fact
}

const typeWords = { string: 'text', integer: 'a whole number', boolean: 'true or false', object: 'an object' } as const

export function typeWord(type: AttributeFact['type']): string {
  return typeWords[type]
}

export function wordFor(value: Json): string {
  if (value === null) return 'nothing'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return 'true or false'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'a whole number' : 'a number'
  return Array.isArray(value) ? 'a list' : 'an object'
}

export function hasType(value: Json, type: AttributeFact['type']): boolean {
  if (type === 'string') return typeof value === 'string'
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'integer') return Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null
}

/** What the platform would refuse about a value ("61 characters, ethosce takes 60"); undefined when nothing. */
export function unfit(value: Json, fact: AttributeFact, platform: string): string | undefined {
  if (!hasType(value, fact.type)) return `is ${wordFor(value)}, ${platform} takes ${typeWord(fact.type)}`
  if (fact.values !== undefined && !fact.values.some((allowed) => allowed === value)) {
    return `${shown(value)} is not one of ${fact.values.join(', ')}`
  }
  if (typeof value !== 'string') return undefined
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = fact
  if (value.length < minLength * 2 || value.length > maxLength) {
    const length = codePoints(value)
    if (length > maxLength) return `${characters(length)}, ${platform} takes ${maxLength}`
    if (length < minLength) return `${characters(length)}, ${platform} wants at least ${minLength}`
  }
  return fact.check?.(value)
}

export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`
}

/** A value in a message: short enough to read. */
export function shown(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`
}
