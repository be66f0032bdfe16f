/** Operations on `members` of a Group. They become changes for the member table; the document has no members. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json } from '../json.ts'
import type { MemberChange } from '../provision/member-change.ts'
import type { AttributeDefinition } from './attribute.ts'
import { badValue } from './bad-value.ts'
import { byLowerCaseKey } from './client-keys.ts'
import { compileValueTest } from './filter-compile.ts'
import type { Filter } from './filter-tree.ts'
import { memberIds } from './member-ids.ts'
import type { PatchOperation } from './patch-message.ts'

interface MembersPath {
  readonly filter: Filter | undefined
  readonly sub: AttributeDefinition | undefined
}

/** Undefined when nothing is to be changed. `op` and `value` as sent. */
export function memberChange(
  { op, value }: Pick<PatchOperation, 'op' | 'value'>,
  { filter, sub }: MembersPath,
  options: { readonly strict: boolean },
): MemberChange | undefined {
  if (filter !== undefined) return filteredChange({ op, value }, filter, sub, options)
  if (sub !== undefined) throw memberIsImmutable()
  if (op === 'remove') return removal(value, options)
  if (value === undefined) throw badValue('members', 'needs a value in this operation.')
  const ids = value === '' && op === 'replace' ? [] : memberIds(value)
  if (op === 'replace') return ids.length === 0 ? { kind: 'removeAll' } : { kind: 'replace', ids }
  return ids.length === 0 ? undefined : { kind: 'add', ids }
}

/** RFC 7644 gives the value of a remove no meaning, so everybody would go; Entra means only those that it names. */
function removal(value: Json | undefined, { strict }: { readonly strict: boolean }): MemberChange | undefined {
  if (value === undefined || value === null) return { kind: 'removeAll' }
  if (strict) throw badValue('members', 'takes no value in a remove; use members[value eq "…"] as path.')
  const ids = memberIds(value)
  return ids.length === 0 ? undefined : { kind: 'remove', ids }
}

function filteredChange(
  { op, value }: Pick<PatchOperation, 'op' | 'value'>,
  filter: Filter,
  sub: AttributeDefinition | undefined,
  { strict }: { readonly strict: boolean },
): MemberChange {
  if (op === 'replace' || (sub !== undefined && sub.name !== 'value')) throw memberIsImmutable()
  const ids = namedIds(filter)
  if (op === 'remove')
    return ids === undefined ? { kind: 'removeWhere', test: memberTest(filter) } : { kind: 'remove', ids }
  if (strict || ids?.length !== 1) {
    throw new Problem(
      400,
      'noTarget',
      'members: the filter names no one to add; use members as path and the ids as value.',
    )
  }
  const [id] = ids
  // Of two people one would be added, and the answer would be a success.
  if (idsSaid(value).some((said) => said !== id)) throw memberIsImmutable()
  return { kind: 'add', ids }
}

/** What a value beside a filter says of the id; it may say nothing. */
function idsSaid(value: Json | undefined): readonly Json[] {
  return [value ?? []].flat().flatMap((one) => (isJsonObject(one) ? (byLowerCaseKey(one).get('value') ?? []) : [one]))
}

/** The ids of `value eq "a"`, or of several joined by `or`. */
function namedIds(filter: Filter): readonly string[] | undefined {
  const parts = filter.kind === 'or' ? filter.parts : [filter]
  const ids = parts.flatMap((part) =>
    part.kind === 'compare' &&
    part.operator === 'eq' &&
    part.target.attribute.name === 'value' &&
    typeof part.value === 'string'
      ? [part.value]
      : [],
  )
  return ids.length === parts.length ? [...new Set(ids)] : undefined
}

function memberTest(filter: Filter): (memberId: string) => boolean {
  if (!isAboutId(filter)) {
    throw new Problem(400, 'invalidFilter', 'members can be filtered by value and type only.')
  }
  const test = compileValueTest(filter)
  return (memberId) => test({ value: memberId, type: 'User' })
}

function isAboutId(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.every(isAboutId)
    case 'not':
      return isAboutId(filter.part)
    default:
      return filter.target.attribute.name === 'value' || filter.target.attribute.name === 'type'
  }
}

function memberIsImmutable(): Problem {
  return new Problem(400, 'mutability', 'members: a member cannot be changed; remove it and add the other one.')
}
