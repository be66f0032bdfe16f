import type { CryptoKey } from 'jose'
import { importJWK } from 'jose/key/import'
import type { KeySource } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'
import { keySetFreshMs, keySetKeys, keySetPauseMs, keySetUsableMs, retryAfterDefault, rsaBits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import { fetchJson } from './fetch-json.ts'
import type { FindKey, ReadToken } from './jwt.ts'
import { openIdConfiguration } from './openid-configuration.ts'

interface KeySet {
  readonly keys: readonly JsonObject[]
  readonly at: number
  /** Imported ones, by their place in the set and the algorithm. */
  readonly imported: Map<string, Promise<CryptoKey | undefined>>
}

/**
 * The published keys of an issuer. Kept for an hour; a key that is unknown makes us look once more, and then not again for
 * 30 s, so that strangers cannot make us call. When the keys cannot be had, the caller is told to come again (503), not that
 * its token is wrong: a 401 would stop its provisioning.
 */
export function remoteKeys(source: KeySource, { clock, log }: { clock: Clock; log: Log }): FindKey {
  let set: KeySet | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let hasFailed = false
  let fetching: Promise<void> | undefined
  /** By a clock that was set back: what lies far ahead was long ago. */
  const passedMs = (since: number) => Math.abs(clock.now() - since)

  async function fetchSet(): Promise<void> {
    try {
      const address = source.jwks ?? (await discovered(source))
      const { keys } = await fetchJson(address, source)
      if (!Array.isArray(keys)) throw new Error('no set of keys')
      set = { keys: keys.slice(0, keySetKeys).filter(isJsonObject), at: clock.now(), imported: new Map() }
      hasFailed = false
    } catch (error) {
      hasFailed = true
      log.warn({ issuer: source.issuer, reason: reasonOf(error) }, "an issuer's keys cannot be read")
    }
  }
  function refresh(): Promise<void> {
    if (fetching !== undefined) return fetching
    if (passedMs(triedAt) < keySetPauseMs) return Promise.resolve()
    triedAt = clock.now()
    fetching = fetchSet().finally(() => {
      fetching = undefined
    })
    return fetching
  }
  function find(token: ReadToken): Promise<CryptoKey | undefined> {
    const index = set === undefined ? -1 : indexOf(set.keys, token)
    const jwk = set?.keys[index]
    if (set === undefined || jwk === undefined) return Promise.resolve(undefined)
    const place = `${index} ${token.algorithm}`
    const known = set.imported.get(place)
    if (known !== undefined) return known
    const imported = importKey(jwk, token.algorithm)
    set.imported.set(place, imported)
    return imported
  }

  return async (token) => {
    const before = set
    if (set === undefined || passedMs(set.at) >= keySetFreshMs) {
      await refresh()
      // The first fetch begins no pause: whoever publishes a new key right after it is not kept waiting.
      if (set !== before) triedAt = Number.NEGATIVE_INFINITY
    }
    if (set !== undefined && clock.now() - set.at >= keySetUsableMs) set = undefined
    let key = await find(token)
    if (key === undefined && set === before) {
      await refresh()
      key = await find(token)
    }
    if (key === undefined && (set === undefined || hasFailed)) throw keysUnavailable()
    return key
  }
}

async function discovered(source: KeySource): Promise<string> {
  const { jwks_uri: address } = await openIdConfiguration(source)
  if (typeof address !== 'string') throw new Error('the OpenID configuration names no keys')
  return address
}

/** A token without `kid` fits only where there is no choice. */
function indexOf(keys: readonly JsonObject[], { kid, algorithm }: ReadToken): number {
  const fits = (key: JsonObject) =>
    (key.use === undefined || key.use === 'sig') &&
    (key.alg === undefined || key.alg === algorithm) &&
    key.kty === keyType(algorithm)
  if (kid !== undefined) return keys.findIndex((key) => key.kid === kid && fits(key))
  return keys.length === 1 && keys[0] !== undefined && fits(keys[0]) ? 0 : -1
}

function keyType(algorithm: string): string {
  if (algorithm.startsWith('ES')) return 'EC'
  return algorithm === 'EdDSA' ? 'OKP' : 'RSA'
}

/** Undefined: not a public key, or a weak one. */
async function importKey(jwk: JsonObject, algorithm: string): Promise<CryptoKey | undefined> {
  try {
    const { kty, n, e, crv, x, y } = jwk
    const key = await importJWK(JSON.parse(JSON.stringify({ kty, n, e, crv, x, y })), algorithm)
    if (key instanceof Uint8Array) return undefined
    const bits = 'modulusLength' in key.algorithm ? Number(key.algorithm.modulusLength) : rsaBits
    return bits >= rsaBits ? key : undefined
  } catch {
    return undefined
  }
}

function keysUnavailable(): Problem {
  return new Problem(503, undefined, "The keys of the token's issuer cannot be read at the moment; try again.", {
    headers: { 'Retry-After': String(retryAfterDefault) },
    detail: 'see the warning about the issuer',
  })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const cause = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : undefined
  return cause ?? error.message
}
