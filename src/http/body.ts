import type { Request, RequestHandler, Response } from 'express'
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { bodyBytes, groupBodyBytes, jsonDepth, jsonNames, jsonValues } from '../limits.ts'
import { stateOf } from './request-state.ts'

const mediaTypes = new Set(['application/scim+json', 'application/json'])
const withBody = new Set(['POST', 'PUT', 'PATCH'])
const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Keys that reach prototypes in careless code. No SCIM attribute has such a name. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

const quote = 0x22
const backslash = 0x5c

/** Reads and parses the body of an authenticated request into `locals.body`. */
export const body: RequestHandler = (request, response, next) => {
  if (!withBody.has(request.method)) return next()
  return readBody(request, response).then(() => next())
}

async function readBody(request: Request, response: Response): Promise<void> {
  const limit = stateOf(response).route?.startsWith('Groups') ? groupBodyBytes : bodyBytes
  response.locals.body = await readJson(request, mediaTypes, limit)
  // The SCIM library's parser passes by a request that has been read.
  request.body = response.locals.body
}

/** Throws a `Problem` (400, 413, 415). */
export async function readJson(request: Request, types: ReadonlySet<string>, limit: number): Promise<JsonObject> {
  refuseForeignMedia(request, types)
  return parseBody(await readBytes(request, limit))
}

function refuseForeignMedia(request: Request, types: ReadonlySet<string>): void {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== undefined && !types.has(type)) {
    const [first, ...others] = types
    const also = others.length === 0 ? '' : ` (or ${others.join(', ')})`
    throw new Problem(415, undefined, `The body has to be ${first}${also}.`)
  }
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem(415, undefined, 'A compressed body is not taken; send it as it is.')
  }
}

function tooLarge(limit: number): Problem {
  return new Problem(413, undefined, `The body is larger than ${limit} bytes; split it into several requests.`)
}

function readBytes(request: Request, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size > limit) {
        parts.length = 0
        reject(tooLarge(limit))
      } else parts.push(part)
    })
    request.on('end', () => resolve(Buffer.concat(parts)))
    request.on('error', reject)
    request.on('close', () => {
      if (!request.readableEnded) reject(new Problem(400, 'invalidSyntax', 'The body ended early.'))
    })
  })
}

/** RFC 7644 §3.8: UTF-8 JSON, and with us always an object. */
export function parseBody(bytes: Buffer): JsonObject {
  if (bytes.length === 0) throw new Problem(400, 'invalidSyntax', 'The request needs a body: a JSON object.')
  let parsed: Json
  let names: number
  try {
    const text = utf8.decode(bytes)
    names = countNames(text)
    parsed = JSON.parse(text)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(400, 'invalidSyntax', 'The body is not valid JSON in UTF-8.')
  }
  if (!isJsonObject(parsed)) throw new Problem(400, 'invalidSyntax', 'The body has to be a JSON object.')
  // Of a name that comes twice the parser keeps the last one; another reader on the way may have kept the first.
  if (countKeys(parsed) !== names) {
    throw new Problem(400, 'invalidSyntax', 'The body has a name twice in one object; send it once.')
  }
  return parsed
}

/**
 * How many names the text has: its colons outside of texts. In one pass before parsing, because the parser needs seconds for
 * what costs its sender nothing: deep nesting, hundreds of thousands of different names, millions of empty objects.
 */
function countNames(text: string): number {
  let depth = 0
  let values = 0
  let count = 0
  let hash = 0
  const different = new Set<number>()
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) {
      hash = 0
      for (index += 1; index < text.length; index += 1) {
        const inner = text.charCodeAt(index)
        if (inner === quote) break
        if (inner === backslash) index += 1
        hash = (Math.imul(hash, 31) + inner) | 0
      }
    } else if (code === 0x3a) {
      count += 1
      different.add(hash)
      if (different.size > jsonNames) throw tooMuch(`has more than ${jsonNames} different names`)
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1
      values += 1
      if (depth > jsonDepth) throw tooMuch(`is nested deeper than ${jsonDepth} levels`)
    } else if (code === 0x7d || code === 0x5d) depth -= 1
    else if (code === 0x2c) values += 1
    if (values > jsonValues) throw tooMuch(`has more than ${jsonValues} values`)
  }
  return count
}

function tooMuch(what: string): Problem {
  return new Problem(400, 'invalidSyntax', `The body ${what}.`)
}

function countKeys(value: Json): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + countKeys(entry), 0)
  if (!isJsonObject(value)) return 0
  const keys = Object.keys(value)
  for (const key of keys) {
    if (forbiddenKeys.has(key))
      throw new Problem(400, 'invalidSyntax', 'The body has a key that no attribute may have.')
  }
  return Object.values(value).reduce<number>((sum, entry) => sum + countKeys(entry), keys.length)
}
