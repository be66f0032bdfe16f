/** What is kept of a body or a query for operators: enough to see what was asked, nothing of whom it is about. */
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { keptBodyLength, keptEntries } from '../limits.ts'

export type Kept = 'none' | 'masked' | 'full'

const mask = '…'
/** Never kept, whatever the setting. */
const secret = /password|secret|token|credential/i
const removed = '[removed]'
/** Attributes whose values say how something is, not who: words of the protocol. */
const open: ReadonlySet<string> = new Set([
  ...['schemas', 'op', 'type', 'primary', 'active', 'resourcetype', 'method', 'bulkid', 'status', 'scimtype', 'state'],
  ...['created', 'lastmodified', 'version', 'totalresults', 'startindex', 'itemsperpage', 'id', '$ref', 'location'],
])
const paths: ReadonlySet<string> = new Set(['path', 'filter', 'attributes', 'excludedattributes', 'sortby'])

/** A body as text; undefined: nothing of it is kept. */
export function keptBody(body: Json | undefined, kept: Kept): string | undefined {
  if (body === undefined || kept === 'none') return undefined
  return cut(JSON.stringify(keptValue(body, '', kept), undefined, 2))
}

function keptValue(value: Json, name: string, kept: 'masked' | 'full'): Json {
  if (Array.isArray(value)) {
    const entries = value.slice(0, keptEntries).map((entry) => keptValue(entry, name, kept))
    return value.length > keptEntries ? [...entries, `${mask} and ${value.length - keptEntries} more`] : entries
  }
  if (isJsonObject(value)) return keptObject(value, kept)
  if (kept === 'full' || value === null || typeof value === 'boolean') return value
  const key = name.toLowerCase()
  if (typeof value === 'string' && paths.has(key)) return maskedFilter(value)
  return open.has(key) ? value : mask
}

function keptObject(value: JsonObject, kept: 'masked' | 'full'): JsonObject {
  // A PATCH names the attribute in `path`, and has what is secret in `value`.
  const isSecret = typeof value.path === 'string' && secret.test(value.path)
  const entries = Object.entries(value).map(([name, inner]): [string, Json] => {
    if (secret.test(name) || (isSecret && name.toLowerCase() === 'value')) return [name, removed]
    return [name, keptValue(inner, name, kept)]
  })
  return Object.fromEntries(entries)
}

const comparison = /\b(eq|ne|co|sw|ew|gt|ge|lt|le)\s+("(?:[^"\\]|\\.)*"?|[^\s()[\]]+)/gi

/** A filter, or a path with one, without the values that it compares with. */
export function maskedFilter(text: string): string {
  return text
    .replace(comparison, (whole, operator: string, value: string) =>
      /^(true|false|null)$/i.test(value) ? whole : `${operator} ${mask}`,
    )
    .replace(/"(?:[^"\\]|\\.)*"?/g, mask)
}

/** What an answer says was wrong. Only a mapping names the value that it refuses, in quotes, which the value may have, too. */
export function keptDetail(text: string | undefined, kept: Kept): string | undefined {
  return kept !== 'full' && text?.includes('user.attributes.') === true ? text.replace(/'.*'/s, mask) : text
}

/** Without a question mark in front. */
export function keptQuery(query: string, kept: Kept): string | undefined {
  if (query === '' || kept === 'none') return undefined
  const parameters = [...new URLSearchParams(query)].map(([name, value]) => {
    if (secret.test(name)) return `${name}=${removed}`
    if (kept === 'full') return `${name}=${value}`
    const key = name.toLowerCase()
    if (paths.has(key)) return `${name}=${maskedFilter(value)}`
    return /^(startindex|count|sortorder)$/.test(key) ? `${name}=${value}` : `${name}=${mask}`
  })
  return cut(parameters.join('&'))
}

function cut(text: string): string {
  return text.length <= keptBodyLength ? text : `${text.slice(0, keptBodyLength)}${mask}`
}
