/** A platform's own limits, asked before anything is called. Several platforms answer a too long text with a bare 500. */
import { Immutable, Refused } from '../errors.ts'
import type { AttributeFact, Attributes, Json, PlatformFacts } from '../facts.ts'

/**
 * Throws `Refused` for a value that the facts say the platform cannot take, and for a required one that is missing from a
 * `create`; `Immutable` for a change of what can only be set with a new account. Nothing was called.
 */
export function refuseUnfit(facts: PlatformFacts, attributes: Attributes, write: 'create' | 'change'): void {
  for (const [name, value] of attributes) {
    const fact = factOf(facts, name)
    if (fact === undefined) throw refused(facts, name, 'is not an attribute of this platform')
    if (fact.write === 'read' || (fact.write === 'create' && write === 'change')) {
      throw new Immutable(
        `${facts.title} cannot change ${name} of an existing account; keep it, or ask an administrator of ${facts.title}.`,
        `${facts.platform}: ${name} is not writable`,
      )
    }
    const reason = unfit(fact, value)
    if (reason !== undefined && !(value === null && write === 'create')) throw refused(facts, name, reason)
  }
  if (write === 'change') return
  for (const [name, fact] of facts.attributes) {
    const value = attributes.get(name)
    if (fact.required && (value === undefined || value === null || value === '')) {
      throw refused(facts, name, 'is required')
    }
  }
}

export function factOf(facts: PlatformFacts, name: string): AttributeFact | undefined {
  return (
    facts.attributes.get(name) ??
    facts.openAttributes.find(({ prefix }) => name.startsWith(prefix) && name.length > prefix.length)?.fact
  )
}

/** What is wrong with the value, or undefined. */
function unfit(fact: AttributeFact, value: Json): string | undefined {
  if (value === null) return fact.clearable ? undefined : 'cannot be taken away'
  if (fact.values !== undefined && !fact.values.some((allowed) => allowed === value)) {
    return `must be one of ${fact.values.join(', ')}`
  }
  if (fact.type === 'integer') return Number.isSafeInteger(value) ? undefined : 'must be a whole number'
  if (fact.type === 'boolean') return typeof value === 'boolean' ? undefined : 'must be true or false'
  if (fact.type === 'object') return undefined
  if (typeof value !== 'string') return 'must be text'
  // Code points: a platform's 255 characters are not 255 halves of emoji.
  const length = [...value].length
  if (fact.maxLength !== undefined && length > fact.maxLength) {
    return `has ${length} characters, the platform takes ${fact.maxLength}`
  }
  if (fact.minLength !== undefined && length < fact.minLength) return `needs ${fact.minLength} characters or more`
  return fact.check?.(value)
}

function refused(facts: PlatformFacts, name: string, reason: string): Refused {
  return new Refused(`${facts.title}: ${name} ${reason}.`, `${facts.platform}: ${name} does not fit`)
}
