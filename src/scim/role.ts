import { isJsonObject } from '../json.ts'
import type { AttributeDefinition } from './attribute.ts'
import { byLowerCaseKey } from './client-keys.ts'
import type { Parts } from './value.ts'

/**
 * Entra's AppRoleAssignmentsComplex puts JSON into the text of a role's `value`:
 * `{"id":"…","value":"25","displayName":"Reader"}`. Such a role becomes `value` "25" with its display name; any other
 * text stays as it is.
 */
export function unpackRole(attribute: AttributeDefinition, parts: Parts): Parts {
  const value = attribute.sub?.get('value')
  const display = attribute.sub?.get('display')
  if (value === undefined || display === undefined) return parts
  const packed = parseObject(parts.get(value))
  const inner = packed?.get('value')
  if (typeof inner !== 'string' || inner === '') return parts
  const unpacked: Parts = new Map(parts).set(value, inner)
  const name = packed?.get('displayname') ?? packed?.get('display')
  if (typeof name === 'string' && name !== '' && parts.get(display) === undefined) unpacked.set(display, name)
  return unpacked
}

function parseObject(text: unknown): ReturnType<typeof byLowerCaseKey> | undefined {
  if (typeof text !== 'string' || !text.trimStart().startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isJsonObject(parsed) ? byLowerCaseKey(parsed) : undefined
  } catch {
    return undefined
  }
}
