/**
 * How audit lines hang together. What a line tells of a person (whom it is about, and the detail) enters the chain through
 * a salted hash that is stored with it: without values and salt the chain can be followed all the same, and nobody can find
 * out by guessing what stood there.
 */
import { randomUUID, hash as textHash } from 'node:crypto'
import type { AuditRow } from './rows.ts'

/** A line as it is stored. */
export interface ChainedRow extends AuditRow {
  /** Null: the person was erased from the line, or it is older than salts. */
  readonly salt: string | null
  /** Null: the line is older than salts. */
  readonly subject_hash: string | null
}

type Subject = Pick<AuditRow, 'resource_id' | 'account_id' | 'detail'>
type Plain = Pick<AuditRow, 'id' | 'at' | 'event' | 'request_id' | 'caller' | 'operation_id'>

/** What is left where a person was. */
export const nobody: Subject = { resource_id: null, account_id: null, detail: '{}' }

export function newSalt(): string {
  // 122 random bits, of which Node keeps a supply.
  return randomUUID()
}

export function subjectHash(salt: string, { resource_id, account_id, detail }: Subject): string {
  return hash(salt, [resource_id, account_id, detail])
}

/** Of the line itself and, through `before`, of all lines before it. */
export function chainHash(
  before: string,
  connection: string,
  { id, at, event, request_id, caller, operation_id }: Plain,
  subject: string,
): string {
  return hash(before, [connection, id, at, event, request_id, caller, operation_id, subject])
}

/** The rule of lines that are older than salts. It has more fields, so no line fits both. */
function formerChainHash(before: string, connection: string, row: AuditRow): string {
  const { id, at, event, request_id, caller, resource_id, operation_id, account_id, detail } = row
  return hash(before, [connection, id, at, event, request_id, caller, resource_id, operation_id, account_id, detail])
}

/** `isMarked`: `audit_erased` names the line. */
export function isErased({ salt, subject_hash }: ChainedRow, isMarked: boolean): boolean {
  return subject_hash === null ? isMarked : salt === null
}

/** Whether the line is as it was written after the line with the hash `before`, or as an erasure has left it. */
export function isAsWritten(before: string, connection: string, row: ChainedRow, isMarked: boolean): boolean {
  const { salt, subject_hash } = row
  if (isErased(row, isMarked) && !tellsOfNobody(row)) return false
  if (subject_hash === null) {
    // An erased line of before can only hand on its hash.
    return salt === null && (isMarked || row.hash === formerChainHash(before, connection, row))
  }
  if (salt !== null && subject_hash !== subjectHash(salt, row)) return false
  return row.hash === chainHash(before, connection, row, subject_hash)
}

function tellsOfNobody({ resource_id, account_id, detail }: Subject): boolean {
  return resource_id === nobody.resource_id && account_id === nobody.account_id && detail === nobody.detail
}

function hash(before: string, fields: readonly (string | number | null)[]): string {
  return textHash('sha256', `${before}\n${JSON.stringify(fields)}`, 'base64url')
}
