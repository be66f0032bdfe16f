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

/** `isForeign`: in an extension, whose names are nobody's words but the operator's. */
function keptValue(value: Json, name: string, kept: 'masked' | 'full', isForeign = false): Json {
  if (Array.isArray(value)) {
    const entries = value.slice(0, keptEntries).map((entry) => keptValue(entry, name, kept, isForeign))
    return value.length > keptEntries ? [...entries, `${mask} and ${value.length - keptEntries} more`] : entries
  }
  if (isJsonObject(value)) return keptObject(value, kept, isForeign || isExtension(name))
  const key = name.toLowerCase()
  if (typeof value === 'string' && paths.has(key) && !isForeign) return keptPath(key, value, kept)
  if (kept === 'full' || value === null || typeof value === 'boolean') return value
  return open.has(key) && !isForeign ? value : mask
}

function isExtension(name: string): boolean {
  return /^urn:(?!scim-bridge:)/i.test(name)
}

function keptObject(value: JsonObject, kept: 'masked' | 'full', isForeign: boolean): JsonObject {
  // A PATCH names the attribute in `path`, in any letter case, and has what is secret in `value`.
  const isSecret = Object.entries(value).some(
    ([name, inner]) => name.toLowerCase() === 'path' && typeof inner === 'string' && secret.test(inner),
  )
  const entries = Object.entries(value).map(([name, inner]): [string, Json] => {
    if (secret.test(name) || (isSecret && name.toLowerCase() === 'value')) return [name, removed]
    return [name, keptValue(inner, name, kept, isForeign)]
  })
  return Object.fromEntries(entries)
}

/** A filter, a path or names of attributes; in `full` only what is compared with a secret is taken out. */
function keptPath(key: string, text: string, kept: 'masked' | 'full'): string {
  if (kept === 'full') return secret.test(text) ? maskedFilter(text) : text
  // Without an operator it is no filter, and what somebody has typed may be a name.
  if (key === 'filter' && !/\s(?:eq|ne|co|sw|ew|gt|ge|lt|le|pr)\b/i.test(text)) return mask
  return maskedFilter(text)
}

const comparison = /\b(eq|ne|co|sw|ew|gt|ge|lt|le)\s+("(?:[^"\\]|\\.)*"?|[^\s()[\]]+)/gi

/** Behind a value comes a bracket, or what joins two comparisons; anything else belongs to a value that is not in quotes. */
const afterValue = /…\s+(?!(?:and|or)\b|[)\]]).*$/is

/** A filter, or a path with one, without the values that it compares with. */
export function maskedFilter(text: string): string {
  return text
    .replace(comparison, (whole, operator: string, value: string) =>
      /^(true|false|null)$/i.test(value) ? whole : `${operator} ${mask}`,
    )
    .replace(/"(?:[^"\\]|\\.)*"?/g, mask)
    .replace(afterValue, mask)
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
    const key = name.toLowerCase()
    if (paths.has(key)) return `${name}=${keptPath(key, value, kept)}`
    if (kept === 'full') return `${name}=${value}`
    return /^(startindex|count|sortorder)$/.test(key) ? `${name}=${value}` : `${name}=${mask}`
  })
  return cut(parameters.join('&'))
}

function cut(text: string): string {
  return text.length <= keptBodyLength ? text : `${text.slice(0, keptBodyLength)}${mask}`
}
