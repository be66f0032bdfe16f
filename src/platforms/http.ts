/** HTTP as far as it can be told without knowing the platform. Pure. */
import { jsonDepth, retryAfterMaximum } from '../limits.ts'
import type { PlatformAnswer, PlatformRequest } from './client.ts'

export type Headers = PlatformAnswer['headers']

/** Whether the platform may have changed something when this request was sent. */
export function isWrite(request: PlatformRequest): boolean {
  return request.method !== 'GET' && request.readsOnly !== true
}

/** Method and path for log and audit: without query, where values would be. */
export function describe(request: PlatformRequest): string {
  return `${request.method} ${pathOf(request)}`
}

export function pathOf(request: PlatformRequest): string {
  return `/${request.path.map(encode).join('/')}${request.suffix ?? ''}`
}

/** Percent-encodes; half a surrogate pair, which cannot be encoded, becomes a replacement character. */
export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** The answer as a module sees it. `body` is whole. */
export function toAnswer(status: number, headers: Headers, body: Buffer): PlatformAnswer {
  const mediaType = first(headers['content-type'])?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const text = body.toString('utf8')
  return {
    status,
    headers,
    text,
    json: /^application\/(?:[\w.-]+\+)?json$/.test(mediaType) ? parseJson(body) : undefined,
    isHtml: mediaType === 'text/html' || /^\s*<(?:!doctype html|html)/i.test(text),
  }
}

// Fatal: bytes of another charset would become replacement characters in somebody's name.
const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Written plainly or with escapes. Looking at every value of an answer costs ten times the parsing. */
const mayNamePrototype = /__proto__|\\u/

/** `undefined` when it is no JSON, is not UTF-8, or nests deeper than an honest answer. `__proto__` keys are dropped. */
function parseJson(body: Buffer): unknown {
  try {
    const text = utf8.decode(body)
    if (nestsTooDeep(text)) return undefined
    if (!mayNamePrototype.test(text)) return JSON.parse(text)
    return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value))
  } catch {
    return undefined
  }
}

const quote = 0x22
const backslash = 0x5c

/** Looked at before parsing: the walk that drops keys is recursive. */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) index = endOfString(text, index)
    else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > jsonDepth) return true
    } else if (code === 0x7d || code === 0x5d) depth -= 1
  }
  return false
}

/** The place of the quotation mark that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) return index
    if (code === backslash) index += 1
  }
  return text.length
}

/**
 * Milliseconds of a Retry-After (RFC 9110 §10.2.3), at most an hour; `undefined` when there is none or it is nonsense. A date
 * is measured against the answer's own Date, so that neither side's clock matters.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = first(headers['retry-after'])?.trim()
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : between(first(headers.date), value)
  if (ms === undefined || Number.isNaN(ms) || ms < 0) return undefined
  return Math.min(ms, retryAfterMaximum * 1000)
}

/** Only the date format that RFC 9110 asks for: `Date.parse` would read `-1` as a year. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

function between(from: string | undefined, to: string): number | undefined {
  if (from === undefined || !httpDate.test(from) || !httpDate.test(to)) return undefined
  return Date.parse(to) - Date.parse(from)
}

export function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
