/** `bridge.yaml`, checked and resolved: references are values, paths are absolute. */
import type { ConnectionAccess, OperatorOidc } from '../access.ts'
import type { DeclaredExtension } from '../extensions.ts'
import type { JsonObject } from '../json.ts'
import type { WatchedFile } from '../watched-file.ts'
import type { AlarmsConfig } from './alarms-format.ts'
import type { StoreConfig } from './store-format.ts'
import type { TracesConfig } from './telemetry-format.ts'

export interface Config {
  readonly file: string
  /** Without a slash at the end. `Location` and `meta.location` come from here, never from a request. */
  readonly publicUrl: string
  /** Without `tls` plain HTTP is spoken. */
  readonly listen: { readonly host: string; readonly port: number; readonly tls?: CertificateFiles }
  readonly store: StoreConfig
  /** Keys of the store in base64; without `key` it is not encrypted. `formerKeys` are for changing it. */
  readonly encryption: { readonly key: string | undefined; readonly formerKeys: readonly string[] }
  readonly log: { readonly level: string }
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** Bearer tokens for `/metrics`; none: open, unless somebody has the role for it. */
  readonly metrics: { readonly tokens: readonly string[] }
  /** Tokens of operators who see every connection on the operator's pages. */
  readonly console: { readonly tokens: readonly string[]; readonly oidc: OperatorOidc | undefined }
  /** Place of a caller's secret, `connections.library.tokens.0` → the file that it came from and is read anew from. */
  readonly secretFiles: ReadonlyMap<string, string>
  readonly alarms: AlarmsConfig
  /** Undefined: nothing is traced. */
  readonly traces: TracesConfig | undefined
  readonly retry: { readonly maximumSeconds: number }
  readonly limits: { readonly requestsPerSecond: number; readonly burst: number; readonly concurrentRequests: number }
  readonly retention: { readonly tombstoneDays: number; readonly auditDays: number }
  readonly connections: readonly ConnectionConfig[]
}

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

export interface ConnectionConfig extends ConnectionAccess {
  readonly name: string
  readonly platform: string
  /** Undefined: the mapping of the platform that comes with the bridge. */
  readonly mapping: string | undefined
  readonly mode: 'confirmed' | 'deferred'
  /** Without a slash at the end. */
  readonly baseUrl: string
  /** Whether the platform may be in this machine or in a private network. */
  readonly allowPrivateAddresses: boolean
  /** Paths of PEM files. */
  readonly tls: { readonly ca?: string; readonly certificate?: string; readonly key?: string } | undefined
  readonly patch: 'lenient' | 'strict'
  readonly busyStatus: 429 | 503
  /** Undefined: the platform's default. */
  readonly pace: { readonly requestsPerSecond: number; readonly concurrency: number } | 'off' | undefined
  /** Undefined: an hour, or never by itself where wrong log-ins lock the account. */
  readonly retryAfterDeniedSeconds: number | undefined
  /** Undefined: accounts are walked over only when somebody asks. */
  readonly reconcile: { readonly everyHours: number } | undefined
  /** Of the identity provider, kept for operators. 0 hours: none. */
  readonly requests: { readonly keepHours: number; readonly bodies: 'none' | 'masked' | 'full' }
  readonly guardrails: { readonly hold: boolean }
  readonly groupPatchAnswer: 'none' | 'group'
  /** `hide`: neither the Provisioning extension nor `members.display` is announced or answered. */
  readonly computedAttributes: 'show' | 'hide'
  readonly unknownMembers: 'refuse' | 'ignore'
  readonly extensions: readonly DeclaredExtension[]
  /** Checked by the platform's own schema. */
  readonly settings: JsonObject
  /** Secrets among the settings that come from files, by name: read anew when the file is another one. */
  readonly secretFiles: ReadonlyMap<string, WatchedFile>
}
