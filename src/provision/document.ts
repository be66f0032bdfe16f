import { isJsonObject, type JsonObject } from '../json.ts'
import type { ResourceKeys } from '../store/store.ts'

/** The values by which the store finds a resource, out of its canonical document. */
export function keysOf(document: JsonObject): ResourceKeys {
  const keys: { -readonly [name in keyof ResourceKeys]: ResourceKeys[name] } = {}
  if (typeof document.userName === 'string') keys.userName = document.userName
  if (typeof document.displayName === 'string') keys.displayName = document.displayName
  if (typeof document.externalId === 'string') keys.externalId = document.externalId
  if (typeof document.active === 'boolean') keys.active = document.active
  if (Array.isArray(document.emails)) {
    keys.emails = document.emails.filter(isJsonObject).flatMap((email) => {
      if (typeof email.value !== 'string') return []
      return [typeof email.type === 'string' ? { value: email.value, type: email.type } : { value: email.value }]
    })
  }
  return keys
}

/** Absent `active` of a stored document means active: a POST without it asks for an account that is on. */
export function isActiveDocument(document: JsonObject): boolean {
  return document.active !== false
}

export function parseDocument(json: string): JsonObject {
  const document: unknown = JSON.parse(json)
  if (!isJsonObject(document)) throw new Error('a stored document is not a JSON object')
  return document
}

/** `schemas` and `id` come first: clients and people look for them there. */
export function withId(document: JsonObject, id: string): JsonObject {
  const { schemas, ...rest } = document
  return { schemas: schemas ?? [], id, ...rest }
}
