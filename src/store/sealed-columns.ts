/**
 * Which columns hold values of people. A test compares the list with the schema: whoever adds a column of text decides
 * whether it is sealed, looked up by, or says nothing of a person.
 */

/** By table: what names a row, and which columns are sealed. */
export const sealedTables = {
  resource: { row: ['connection', 'id'], columns: ['json', 'display'] },
  link: { row: ['connection', 'resource_id'], columns: ['applied', 'user_name', 'external_id', 'grants'] },
  group_link: { row: ['connection', 'resource_id'], columns: ['name'] },
  operation: { row: ['connection', 'resource_id'], columns: ['before', 'error_message'] },
  watch: { row: ['connection', 'resource_id'], columns: ['document'] },
  finding: { row: ['connection', 'walk', 'account_id'], columns: ['done'] },
  scim_request: { row: ['connection', 'id'], columns: ['query', 'detail', 'sent', 'answered'] },
} as const

export type SealedTable = keyof typeof sealedTables
export type SealedColumn =
  | { [Table in SealedTable]: `${Table}.${(typeof sealedTables)[Table]['columns'][number]}` }[SealedTable]
  /** A known text, which tells whether a key is the right one. */
  | 'sealing.proof'

/** Only ever compared: what stands in them cannot be turned back, nor put in order. */
export const indexedColumns = [
  'resource.user_name_key',
  'resource.display_key',
  'resource.external_id',
  'email_value.value_key',
  'email_value.email_type',
  'match_key.value_key',
] as const
export type IndexedColumn = (typeof indexedColumns)[number]
