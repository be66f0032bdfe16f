/** The files that `scim-bridge init` writes. Pure. */
import { stringify } from 'yaml'
import type { JsonObject } from '../json.ts'

export interface InitAnswers {
  readonly platform: string
  /** Of the connection; part of its address. */
  readonly name: string
  readonly publicUrl: string
  readonly baseUrl: string
  readonly mode: 'confirmed' | 'deferred'
  readonly allowHttp: boolean
  readonly allowPrivateAddresses: boolean
  /** Settings that are no secrets, by name. */
  readonly settings: Readonly<Record<string, string | number>>
}

/** What a connection of each platform needs: settings to ask for, and secrets that come from the environment. */
export const neededSettings: ReadonlyMap<string, NeededSettings> = new Map([
  ['figshare', { baseUrl: 'https://api.figshare.com/v2', asked: [], secrets: ['token'] }],
  ['ethosce', { baseUrl: undefined, asked: ['user'], secrets: ['password'] }],
  ['openspecimen', { baseUrl: undefined, asked: ['user', 'domain'], secrets: ['password'] }],
  ['selfcommunity', { baseUrl: undefined, asked: ['userId'], secrets: ['jwtSecret'] }],
  ['dspace', { baseUrl: undefined, asked: ['user'], secrets: ['password'] }],
])

export interface NeededSettings {
  /** Where one address serves everybody. */
  readonly baseUrl: string | undefined
  readonly asked: readonly string[]
  readonly secrets: readonly string[]
}

export function variableOf(connection: string, secret: string): string {
  const words = `${connection}_${secret.replace(/[A-Z]/g, (letter) => `_${letter}`)}`
  // A name of the environment begins with no digit.
  return words
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^(?=\d)/, '_')
}

export function configText(
  { platform, name, publicUrl, baseUrl, mode, settings, allowHttp, allowPrivateAddresses }: InitAnswers,
  mapping: string,
): string {
  const secrets = neededSettings.get(platform)?.secrets ?? []
  const values = Object.fromEntries(secrets.map((secret) => [secret, reference(variableOf(name, secret))]))
  const config = {
    publicUrl,
    listen: { host: '127.0.0.1', port: 8080 },
    store: 'sqlite:data/bridge.sqlite',
    connections: {
      [name]: {
        platform,
        baseUrl,
        ...(allowHttp ? { allowHttp } : {}),
        ...(allowPrivateAddresses ? { allowPrivateAddresses } : {}),
        mapping,
        mode,
        tokens: [reference(variableOf(name, 'scimToken'))],
        settings: { ...settings, ...values },
      },
    },
  }
  return `# Every key: docs/configuration.md. Secrets come from the environment; look with: scim-bridge check\n${stringify(config)}`
}

export function mappingText(platform: string, example: JsonObject): string {
  return (
    `# What differs from the mapping that comes with the bridge; look with: scim-bridge mapping check FILE\n` +
    stringify({
      version: 1,
      platform,
      extends: `shipped:${platform}`,
      describe: 'What differs here from the mapping that comes with the bridge.',
      examples: [example],
    })
  )
}

/** Variables to set before the bridge starts, the identity provider's token first. */
export function variablesOf({ platform, name }: Pick<InitAnswers, 'platform' | 'name'>): readonly string[] {
  return ['scimToken', ...(neededSettings.get(platform)?.secrets ?? [])].map((secret) => variableOf(name, secret))
}

function reference(variable: string): string {
  return `\${${variable}}`
}
