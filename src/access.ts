/**
 * Who may come in, in the words that configuration, store, HTTP and commands share. A *way in* is a token, a user with a
 * password, an OAuth client or an issuer of tokens; a connection has any number of them at once.
 */
import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'

/** `provision`: everything in SCIM. `read`: reads and searches. `monitor`: `/metrics`. `operate`: the operator's pages. */
export const roles = ['provision', 'read', 'monitor', 'operate'] as const
export type Role = (typeof roles)[number]

/**
 * Roles that the admin API knows; an identity provider's own token is none of them. `monitor`: counts and classes, nothing of a
 * person. `read`: whatever is shown. `operate`: also does something.
 */
export type AdminRole = Exclude<Role, 'provision'>

/** Somebody who may use the admin API, and has proved who they are. */
export interface AdminCaller {
  /** For audit and log. */
  readonly name: string
  /** Connection → what the caller may do there; of no other one anything is told. */
  readonly roles: ReadonlyMap<string, AdminRole>
}

/** Of signatures with a key pair; never one whose key both sides know, and never `none`. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type Algorithm = (typeof algorithms)[number]

/** The ways in that `bridge.yaml` names; tokens of the store come on top. */
export interface ConnectionAccess {
  readonly name: string
  readonly tokens: readonly string[]
  /** Some Okta applications send the token without `Bearer`. */
  readonly headerTokenWithoutScheme: boolean
  readonly basic: readonly BasicUser[]
  readonly oauth: OauthServer | undefined
  readonly entra: EntraTenant | undefined
  readonly oidc: readonly OidcIssuer[]
  /** Addresses and ranges that callers may come from; undefined: any. */
  readonly allowFrom: readonly string[] | undefined
}

export interface BasicUser {
  readonly user: string
  readonly password: string
  readonly role: Role
}

export interface OauthServer {
  readonly clients: readonly OauthClient[]
  readonly lifetimeSeconds: number
  readonly algorithm: 'ES256' | 'RS256'
}

export interface OauthClient {
  readonly id: string
  readonly secrets?: readonly string[] | undefined
  readonly federation?: Federation | undefined
  readonly role: Role
}

/** Where somebody else's tokens come from, and how their keys are found. */
export interface KeySource {
  /** Compared letter by letter. */
  readonly issuer: string
  /** Undefined: as the issuer's OpenID configuration says. */
  readonly jwks?: string | undefined
  readonly algorithms: readonly Algorithm[]
  readonly allowHttp: boolean
}

/** RFC 7523: whose tokens stand for the client's secret. */
export interface Federation extends KeySource {
  readonly subject: string
  readonly audience: string
}

export interface OidcIssuer extends KeySource {
  readonly audience: string
  /** Claim → the value that it has to have, or to contain. */
  readonly claims: Readonly<Record<string, string>>
  readonly role: Role
}

/** OpenID Connect with an authorization code: how operators sign in at their identity provider. */
export interface OperatorOidc extends KeySource {
  readonly clientId: string
  readonly clientSecret: string
  /** Claim → the value that it has to have, or to contain: whoever has all of them is an operator. */
  readonly claims: Readonly<Record<string, string>>
}

/** Tokens that Entra issues for its own provisioning, when its secret field is left empty. */
export interface EntraTenant {
  readonly tenant: string
  readonly audience: string
  readonly issuer?: string | undefined
  readonly jwks?: string | undefined
  readonly claims: Readonly<Record<string, string>>
  readonly role: Role
  readonly allowHttp: boolean
}

/** Undefined: not an address with an optional length of the prefix. */
export function parseCidr(written: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...others] = written.split('/')
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  if (version === 0 || others.length > 0) return undefined
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (prefix < 0 || prefix > bits || address.includes('%')) return undefined
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export function addressList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const parsed = parseCidr(range)
    if (parsed !== undefined) list.addSubnet(parsed.address, parsed.prefix, parsed.family)
  }
  return list
}

const secretFileBytes = 65_536

/** Without its last line break. Throws when it cannot be read. */
export function readSecretFile(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (text.length > secretFileBytes) throw new Error('too large')
  return text.replace(/\r?\n$/, '')
}

/** A secret that can be guessed is none. */
export const shortestSecret = 16
