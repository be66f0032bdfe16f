/** The part of `bridge.yaml` that says who may come in. */
import { z } from 'zod'
import { algorithms as allAlgorithms, parseCidr, roles } from '../access.ts'

/** Longer than any that people make up; OAuth clients and Basic users are named in logs. */
const name = z.string().regex(/^[A-Za-z0-9._@-]{1,128}$/, {
  error: 'has to be 1 to 128 letters, digits and . _ @ -',
})
const secret = z.string().min(1)
const role = z.enum(roles)
const text = z.string().min(1).max(1_024)
const algorithms = z.array(z.enum(allAlgorithms)).min(1).max(10).default(['RS256'])
const claims = z.record(text, text).default({})

const address = z.string().refine((written) => parseCidr(written) !== undefined, {
  error: 'has to be an address or a range, for example 192.0.2.7 or 2001:db8::/32',
})

/** Kept letter by letter: an issuer is compared as it is, slash at the end included. */
const webAddress = z
  .string()
  .max(1_024)
  .refine((written) => /^https?:\/\/[^\s?#@]+$/i.test(written) && URL.canParse(written), {
    error: 'has to be an https URL without user, query and fragment',
  })

interface WebAddresses {
  readonly allowHttp: boolean
  readonly issuer?: string | undefined
  readonly jwks?: string | undefined
}

/** Keys that come in clear text are whoever's who sits in between. */
function refuseHttp(addresses: WebAddresses, context: z.RefinementCtx): void {
  if (addresses.allowHttp) return
  for (const key of ['issuer', 'jwks'] as const) {
    if (!/^http:/i.test(addresses[key] ?? '')) continue
    const message = 'anybody could put in keys of their own: use https, or say allowHttp: true for a test'
    context.addIssue({ code: 'custom', path: [key], message })
  }
}

const basic = z.strictObject({
  user: z.string().regex(/^[^:\p{Cc}]{1,128}$/u, { error: 'has to be 1 to 128 characters without a colon' }),
  password: secret,
  role: role.default('provision'),
})

const federation = z
  .strictObject({
    issuer: webAddress,
    subject: text,
    audience: text,
    jwks: webAddress.optional(),
    algorithms,
    allowHttp: z.boolean().default(false),
  })
  .superRefine(refuseHttp)

const client = z
  .strictObject({
    id: name,
    secrets: z.array(secret).min(1).max(5).optional(),
    federation: federation.optional(),
    role: role.default('provision'),
  })
  .refine(({ secrets, federation }) => secrets !== undefined || federation !== undefined, {
    error: 'needs secrets, or a federation',
  })

const oauth = z.strictObject({
  clients: z.array(client).min(1).max(20).superRefine(refuseTwice('id')),
  // Microsoft's gallery asks for 60 minutes to 6 hours.
  lifetimeSeconds: z.number().int().min(3_600).max(21_600).default(3_600),
  algorithm: z.enum(['ES256', 'RS256']).default('ES256'),
})

const entra = z
  .strictObject({
    tenant: z.guid({ error: 'has to be the id of the tenant: 8-4-4-4-12 hexadecimal digits' }),
    // The application that all tokens of Entra's provisioning outside the gallery are issued for.
    audience: text.default('8adf8e6e-67b2-4cf2-a259-e3dc5476c621'),
    issuer: webAddress.optional(),
    jwks: webAddress.optional(),
    claims,
    role: role.default('provision'),
    allowHttp: z.boolean().default(false),
  })
  .superRefine(refuseHttp)

const oidc = z
  .strictObject({
    issuer: webAddress,
    audience: text,
    jwks: webAddress.optional(),
    claims,
    algorithms,
    role: role.default('provision'),
    allowHttp: z.boolean().default(false),
  })
  .superRefine(refuseHttp)

const tokens = z.array(secret).min(1).max(20)

/** Without a claim everybody whom the identity provider knows would be an operator. */
const operatorClaims = z.record(text, text).refine((record) => Object.keys(record).length > 0, {
  error: 'has to name a claim that operators have and others have not, for example { groups: scim-operators }',
})

/** `console.oidc`. */
export const operatorOidc = z
  .strictObject({
    issuer: webAddress,
    clientId: text,
    clientSecret: secret,
    claims: operatorClaims,
    jwks: webAddress.optional(),
    algorithms,
    allowHttp: z.boolean().default(false),
  })
  .superRefine(refuseHttp)

/** Keys of a connection. */
export const connectionAccess = {
  tokens: tokens.optional(),
  headerTokenWithoutScheme: z.boolean().default(false),
  basic: z.array(basic).min(1).max(5).superRefine(refuseTwice('user')).optional(),
  oauth: oauth.optional(),
  entra: entra.optional(),
  oidc: z.array(oidc).min(1).max(5).optional(),
  allowFrom: z.array(address).min(1).max(200).optional(),
}

/** Keys of the bridge. */
export const bridgeAccess = {
  trustedProxies: z.array(address).max(50).default([]),
  metrics: z.strictObject({ tokens }).optional(),
  console: z.strictObject({ tokens: tokens.optional(), oidc: operatorOidc.optional() }).optional(),
}

type Shape = Readonly<Record<string, z.ZodType>>

/** The inner maps, by the keys that lead to them. */
export const accessShapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['basic', basic.shape],
  ['oauth', oauth.shape],
  ['oauth.clients', client.shape],
  ['oauth.clients.federation', federation.shape],
  ['entra', entra.shape],
  ['oidc', oidc.shape],
])

/** Keys by place, for suggestions; `*` stands for the name of a connection, or the place in a list. */
export const accessKeys: readonly (readonly [string, readonly string[]])[] = [
  ['metrics', ['tokens']],
  ['console', ['tokens', 'oidc']],
  ['console.oidc', Object.keys(operatorOidc.shape)],
  ['connections.*.basic.*', Object.keys(basic.shape)],
  ['connections.*.oauth', Object.keys(oauth.shape)],
  ['connections.*.oauth.clients.*', Object.keys(client.shape)],
  ['connections.*.oauth.clients.*.federation', Object.keys(federation.shape)],
  ['connections.*.entra', Object.keys(entra.shape)],
  ['connections.*.oidc.*', Object.keys(oidc.shape)],
]

/** Where secrets of callers stand, in a connection; `*` is an index. The bridge's own are `metrics.tokens.*` and those of `console`. */
export const secretPlaces: readonly (readonly string[])[] = [
  ['metrics', 'tokens', '*'],
  // Not a caller's: with it we show the receiver of alarms who we are.
  ['alarms', 'webhook', 'secret'],
  ['console', 'tokens', '*'],
  ['console', 'oidc', 'clientSecret'],
  ['connections', '*', 'tokens', '*'],
  ['connections', '*', 'basic', '*', 'password'],
  ['connections', '*', 'oauth', 'clients', '*', 'secrets', '*'],
]

/** What we prove ourselves with to others than platforms: they decide how long it is. */
const outgoingSecretPlaces: readonly (readonly string[])[] = [
  ['alarms', 'email', 'password'],
  ['telemetry', 'traces', 'headers', '*'],
]

export function isOutgoingSecret(path: readonly (string | number)[]): boolean {
  return outgoingSecretPlaces.some((place) => isAt(place, path))
}

/** What the store is encrypted with. */
const storeKeyPlaces: readonly (readonly string[])[] = [
  ['encryption', 'key'],
  ['encryption', 'formerKeys', '*'],
]

export function isStoreKey(path: readonly (string | number)[]): boolean {
  return storeKeyPlaces.some((place) => isAt(place, path))
}

export function isSecretOfCaller(path: readonly (string | number)[]): boolean {
  return secretPlaces.some((place) => isAt(place, path))
}

function isAt(place: readonly string[], path: readonly (string | number)[]): boolean {
  return place.length === path.length && place.every((part, index) => part === '*' || part === path[index])
}

function refuseTwice<Key extends string>(key: Key) {
  return (entries: readonly Readonly<Record<Key, string>>[], context: z.RefinementCtx): void => {
    const seen = new Set<string>()
    for (const [index, entry] of entries.entries()) {
      if (seen.has(entry[key])) context.addIssue({ code: 'custom', path: [index, key], message: 'is said twice' })
      seen.add(entry[key])
    }
  }
}
