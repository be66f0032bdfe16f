/** What lists, walks and counts have in common: which rows of one connection and type they are about. */

import { endOfPrefix, foldKey } from './keys.ts'
import { type RawBuilder, sql } from './kysely.ts'
import type { EqualCondition, IndexedCondition } from './queries.ts'
import type { Sealer } from './sealing.ts'
import { listRows, listValue, ofType, type Value } from './statement.ts'

export type ConditionName = 'connection' | 'type' | 'value' | 'end' | 'emailType' | ListName
type ListName = 'ids' | 'userNames' | 'externalIds' | 'displayNames' | 'emails' | 'members'
export type ConditionValues = Readonly<Record<ConditionName, Value>>
export type SlotOf = (name: ConditionName) => RawBuilder<unknown>
type Attribute = EqualCondition['attribute']

export const conditionNames: readonly ConditionName[] = [
  ...(['connection', 'type', 'value', 'end', 'emailType'] as const),
  ...(['ids', 'userNames', 'externalIds', 'displayNames', 'emails', 'members'] as const),
]

export const resourceColumns = sql.raw('connection, id, type, seq, version, visible, json, created, modified')

/** Of `link` and `operation`: what clients are told of a user on the platform. */
export const provisioningColumns = sql.raw(
  'link.account_id, link.last_applied_at, link.drift, link.unlinked_account_id, operation.state as operation_state, ' +
    'operation.error_message',
)

const equalColumns = {
  id: sql.raw('id'),
  userName: sql.raw('user_name_key'),
  displayName: sql.raw('display_key'),
  externalId: sql.raw('external_id'),
}
const timeColumns = { created: sql.raw('created'), lastModified: sql.raw('modified') }
const comparisons = { ge: sql.raw('>='), gt: sql.raw('>'), le: sql.raw('<='), lt: sql.raw('<') }
const listNames: Readonly<Record<Attribute, ListName>> = {
  id: 'ids',
  userName: 'userNames',
  externalId: 'externalIds',
  displayName: 'displayNames',
  email: 'emails',
  member: 'members',
}

export function tenant(slot: SlotOf): RawBuilder<unknown> {
  return sql`connection = ${slot('connection')} and ${ofType(slot('type'))} and visible = 1`
}

/**
 * `cross join` makes SQLite begin with the few rows that fit; as a condition it would walk all resources in order. The
 * empty text keeps it from walking all e-mails in the order of `resource_id` for the sake of `distinct`.
 */
export function source(slot: SlotOf, where: IndexedCondition | undefined): RawBuilder<unknown> {
  if (where?.attribute === 'member') {
    return sql`(
      select group_id as found from member
      where connection = ${slot('connection')} and user_id = ${slot('value')}) as matches cross join resource`
  }
  if (where?.attribute === 'email') {
    const ofEmailType = where.type === undefined ? sql`` : sql`and email_type = ${slot('emailType')}`
    return sql`(
      select distinct resource_id || '' as found from email_value
      where connection = ${slot('connection')} and value_key = ${slot('value')} ${ofEmailType}) as matches cross join resource`
  }
  if (where?.attribute === 'anyOf') {
    const parts = attributesOf(where.of).map((attribute) => foundBy(slot, attribute))
    return sql`(${sql.join(parts, sql` union `)}) as matches cross join resource`
  }
  return sql`resource`
}

/** The ids of rows that have one of the listed values; each value is looked up in the index. */
function foundBy(slot: SlotOf, attribute: Attribute): RawBuilder<unknown> {
  const wanted = sql`(select value as wanted from ${listRows(slot(listNames[attribute]))}) as list`
  if (attribute === 'email') {
    return sql`select resource_id as found from ${wanted} cross join email_value
      where connection = ${slot('connection')} and value_key = wanted`
  }
  if (attribute === 'member') {
    return sql`select group_id as found from ${wanted} cross join member
      where connection = ${slot('connection')} and user_id = wanted`
  }
  const andType = attribute === 'id' ? sql`` : sql`and ${ofType(slot('type'))}`
  return sql`select resource.id as found from ${wanted} cross join resource
    where connection = ${slot('connection')} ${andType} and resource.${equalColumns[attribute]} = wanted`
}

export function condition(slot: SlotOf, where: IndexedCondition | undefined): RawBuilder<unknown> {
  if (where === undefined) return sql``
  switch (where.attribute) {
    case 'created':
    case 'lastModified':
      return sql`and ${timeColumns[where.attribute]} ${comparisons[where.operator]} ${slot('value')}`
    case 'prefix': {
      const column = equalColumns[where.of]
      return sql`and ${column} >= ${slot('value')} and ${column} < ${slot('end')}`
    }
    case 'active':
      return sql`and active = ${slot('value')}`
    case 'member':
    case 'email':
    case 'anyOf':
      return sql`and id = found`
    default:
      return sql`and ${equalColumns[where.attribute]} = ${slot('value')}`
  }
}

/** Conditions of one shape share a statement. The shapes are few, whatever clients send. */
export function shapeOf(where: IndexedCondition | undefined): string {
  if (where === undefined) return 'all'
  switch (where.attribute) {
    case 'created':
    case 'lastModified':
      return `${where.attribute} ${where.operator}`
    case 'prefix':
      return `prefix of ${where.of}`
    case 'email':
      return where.type === undefined ? 'email' : 'typed email'
    case 'anyOf':
      return `any of ${attributesOf(where.of).join('+')}`
    default:
      return where.attribute
  }
}

/** What differs between conditions of one shape; connection and type come beside it. */
export type Wanted = Omit<ConditionValues, 'connection' | 'type'>

export function wantedBy(sealer: Sealer, connection: string, where: IndexedCondition | undefined): Wanted {
  if (where === undefined) return nothing
  const keyOf = (one: EqualCondition) => indexKey(sealer, connection, one)
  switch (where.attribute) {
    case 'created':
    case 'lastModified':
      return { ...nothing, value: where.value }
    case 'prefix': {
      const value = keyOf({ attribute: where.of, equals: where.startsWith })
      return { ...nothing, value, end: endOfPrefix(value) ?? null }
    }
    case 'active':
      return { ...nothing, value: where.equals ? 1 : 0 }
    case 'email':
      return {
        ...nothing,
        value: keyOf(where),
        emailType:
          where.type === undefined ? null : sealer.index('email_value.email_type', connection, foldKey(where.type)),
      }
    case 'anyOf':
      return { ...nothing, ...listsOf(where.of, keyOf) }
    default:
      return { ...nothing, value: keyOf(where) }
  }
}

const nothing: Wanted = {
  value: null,
  end: null,
  emailType: null,
  ids: null,
  userNames: null,
  externalIds: null,
  displayNames: null,
  emails: null,
  members: null,
}

/** The values that are looked for, each once: a row that is found twice would be two rows. */
function listsOf(
  conditions: readonly EqualCondition[],
  keyOf: (condition: EqualCondition) => string,
): Partial<Record<ListName, Value>> {
  const lists: Partial<Record<ListName, Value>> = {}
  for (const attribute of attributesOf(conditions)) {
    const keys = conditions.filter((one) => one.attribute === attribute).map(keyOf)
    lists[listNames[attribute]] = listValue([...new Set(keys)])
  }
  return lists
}

const indexedBy = {
  userName: 'resource.user_name_key',
  displayName: 'resource.display_key',
  externalId: 'resource.external_id',
  email: 'email_value.value_key',
} as const

function indexKey(sealer: Sealer, connection: string, { attribute, equals }: EqualCondition): string {
  if (attribute === 'id' || attribute === 'member') return equals
  return sealer.index(indexedBy[attribute], connection, attribute === 'externalId' ? equals : foldKey(equals))
}

/** In one order, each once. */
function attributesOf(conditions: readonly EqualCondition[]): readonly Attribute[] {
  return [...new Set(conditions.map(({ attribute }) => attribute))].sort()
}
