/**
 * Values of people as they lie in the tables: sealed with AES-256-GCM, or as they are where no key is configured. Whoever
 * writes such a value seals it, whoever reads it opens it; `run.sealer` is at hand in every statement's place.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { IndexedColumn, SealedColumn } from './sealed-columns.ts'
import { StoreUnsealable } from './store.ts'

/** Connection first, then what tells the row from others of its table. A sealed value opens in its own row only. */
export type RowName = readonly [connection: string, ...rest: string[]]

export interface Sealer {
  /** Tells keys apart without telling anything of them; undefined: nothing is sealed. */
  readonly keyId: string | undefined
  seal(column: SealedColumn, row: RowName, value: string): string
  seal(column: SealedColumn, row: RowName, value: string | null): string | null
  /** Throws `StoreUnsealable`. */
  open(column: SealedColumn, row: RowName, stored: string): string
  open(column: SealedColumn, row: RowName, stored: string | null): string | null
  /** What stands for a value where rows are looked for by it: equal for equal values of one column and connection. */
  index(column: IndexedColumn, connection: string, value: string): string
}

/** No key: every value lies in the table as it is. */
export const plainSealer: Sealer = {
  keyId: undefined,
  seal: <Value>(_column: SealedColumn, _row: RowName, value: Value) => value,
  open: <Value>(_column: SealedColumn, _row: RowName, stored: Value) => stored,
  index: (_column, _connection, value) => value,
}

const cipher = 'aes-256-gcm'
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
/** Columns × connections whose keys are at hand; the bound is for what we have not thought of. */
const maxDerived = 5_000

/** 32 bytes in base64, as `openssl rand -base64 32` writes them. */
export function newKey(): string {
  return randomBytes(keyBytes).toString('base64')
}

/** Whether the text is a key: 32 bytes in base64, written in the one way there is. */
export function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === keyBytes && bytes.toString('base64') === text
}

/**
 * HKDF-SHA-256 makes from the key one key a column and connection, for sealing and for looking up: no two of them have
 * anything in common, and each stays far below the 2^32 values that random initialisation vectors are good for.
 */
export function createSealer(key: string): Sealer {
  if (!isKey(key)) throw new TypeError('a key is 32 bytes in base64')
  const secret = createSecretKey(key, 'base64')
  const keyId = derive(secret, 'id').subarray(0, 6).toString('base64url')
  const prefix = `sealed:1:${keyId}:`
  const derived = new Map<string, KeyObject>()
  const keyFor = (use: 'seal' | 'index', column: string, connection: string): KeyObject => {
    const name = `${use} ${column} ${connection}`
    const known = derived.get(name)
    if (known !== undefined) return known
    const made = createSecretKey(derive(secret, name))
    if (derived.size >= maxDerived) derived.clear()
    derived.set(name, made)
    return made
  }

  function seal(column: SealedColumn, row: RowName, value: string): string
  function seal(column: SealedColumn, row: RowName, value: string | null): string | null
  function seal(column: SealedColumn, row: RowName, value: string | null): string | null {
    if (value === null) return null
    const iv = randomBytes(ivBytes)
    const sealing = createCipheriv(cipher, keyFor('seal', column, row[0]), iv, { authTagLength: tagBytes })
    sealing.setAAD(placeOf(column, row))
    const body = [iv, sealing.update(value, 'utf8'), sealing.final(), sealing.getAuthTag()]
    return prefix + Buffer.concat(body).toString('base64')
  }

  function open(column: SealedColumn, row: RowName, stored: string): string
  function open(column: SealedColumn, row: RowName, stored: string | null): string | null
  function open(column: SealedColumn, row: RowName, stored: string | null): string | null {
    if (stored === null) return null
    try {
      if (!stored.startsWith(prefix)) throw new Error('it is not sealed with this key')
      const bytes = Buffer.from(stored.slice(prefix.length), 'base64')
      const end = bytes.length - tagBytes
      if (end < ivBytes) throw new Error('it is cut short')
      const iv = bytes.subarray(0, ivBytes)
      const opening = createDecipheriv(cipher, keyFor('seal', column, row[0]), iv, { authTagLength: tagBytes })
      opening.setAAD(placeOf(column, row))
      opening.setAuthTag(bytes.subarray(end))
      return opening.update(bytes.subarray(ivBytes, end), undefined, 'utf8') + opening.final('utf8')
    } catch (cause) {
      const place = `${column} of ${row.join(' ')}`
      throw new StoreUnsealable(`the store is damaged: ${place} cannot be decrypted; restore a backup`, { cause })
    }
  }

  return {
    keyId,
    seal,
    open,
    index: (column, connection, value) =>
      createHmac('sha256', keyFor('index', column, connection))
        .update(value)
        .digest('base64url'),
  }
}

function derive(secret: KeyObject, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `scim-bridge ${use}`, keyBytes))
}

/** JSON, so that no two places are spelled alike, whatever names hold. */
function placeOf(column: SealedColumn, row: RowName): Buffer {
  return Buffer.from(JSON.stringify([column, ...row]))
}
