import { isJsonObject, type Json } from '../json.ts'
import { attributeNameLength } from '../limits.ts'
import { badValue, kindOf } from './bad-value.ts'
import { byLowerCaseKey } from './client-keys.ts'

/**
 * The user ids in a `members` value: a list or one of `{ value }` or bare text, each id once. `display` and `$ref` are
 * computed by us, so what a client says there does not matter (Entra sends `$ref: null`).
 * Throws `Problem` 400 `invalidValue`, also for groups as members: neither Okta nor Entra nests them.
 */
export function memberIds(value: Json): readonly string[] {
  if (value === null) return []
  const sent = Array.isArray(value) ? value : [value]
  return [...new Set(sent.map(memberId))]
}

function memberId(member: Json): string {
  if (typeof member === 'string') return checkedId(member)
  if (!isJsonObject(member)) throw badValue('members', `takes user ids, not ${kindOf(member)}.`)
  const parts = byLowerCaseKey(member)
  const type = parts.get('type')
  if (typeof type === 'string' && type.toLowerCase() === 'group') {
    throw badValue('members', 'takes users only; groups in groups are not supported.')
  }
  return checkedId(parts.get('value'))
}

function checkedId(id: Json | undefined): string {
  if (typeof id !== 'string' || id === '') throw badValue('members.value', 'must be the id of a user.')
  if (id.length > attributeNameLength || !id.isWellFormed() || id.includes('\0')) {
    throw badValue('members.value', 'is no id that this server has given out; send the id of a user.')
  }
  return id
}
