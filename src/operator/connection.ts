import type { JsonObject } from '../json.ts'
import type { Provision } from '../provision/provision.ts'
import type { ConsoleReads } from '../store/console-store.ts'
import type { Store } from '../store/store.ts'

/** A connection as operators see it, on pages and in answers to programs. */
export interface OperatedConnection {
  readonly name: string
  readonly provision: Provision
  /** What the identity provider calls its tenant or base URL. */
  readonly scimUrl: string
  readonly pace: { readonly requestsPerSecond: number; readonly concurrency: number } | 'off'
  readonly waysIn: WaysIn
  readonly keptRequests: { readonly keepHours: number; readonly bodies: string }
  /** A SCIM User as JSON text → the document that a POST of it would store. Throws a `Problem`. */
  toDocument(text: string): JsonObject
}

export interface WaysIn {
  readonly takesTokens: boolean
  readonly basicUsers: readonly string[]
  readonly oauth: { readonly tokenUrl: string; readonly clients: readonly string[] } | undefined
  readonly hasEntra: boolean
}

export type OperatedStore = Store & ConsoleReads
