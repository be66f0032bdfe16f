import { z } from 'zod'
import { declarableTypes, nameProblem, repeated, urnProblem } from '../extensions.ts'
import { concurrentRequests, requestBurst, requestsPerSecond, retentionDays } from '../limits.ts'
import { accessKeys, bridgeAccess, connectionAccess } from './access-format.ts'
import { alarmKeys, alarmsFormat } from './alarms-format.ts'
import { isPlainUrl } from './outgoing-url.ts'
import { postgresFormat, storeFormat } from './store-format.ts'
import { telemetryFormat, telemetryKeys } from './telemetry-format.ts'

/** First segments of paths that are no connections. */
const reservedNames = new Set(['livez', 'readyz', 'healthz', 'metrics', 'console', 'oauth', 'oauth2'])
const year = 31_536_000

const urlText = 'has to be an http or https URL without user, query and fragment, for example https://scim.uni.example'
const url = z
  .string()
  .refine(isPlainUrl, { error: urlText })
  .transform((text) => text.replace(/\/+$/, ''))
const seconds = z.number().int().min(1).max(year)
/** Of a platform: as sockets and certificates know it, so that `https://bücher.example` is asked for as `xn--bcher-kva`. */
const platformUrl = url.transform((text) => {
  const { origin, pathname } = new URL(text)
  return (origin + pathname).replace(/\/+$/, '')
})
const file = z.string().min(1)
const pairText = 'has to be { certificate: file, key: file }'
const days = z.number().int().min(1).max(36_500)

/** Far more than anybody declares: every one is looked at with each name that a client sends. */
const extensionsPerConnection = 20
const attributesPerExtension = 200

/** What bridge.yaml says of one attribute of an extension. */
export const attributeFormat = z.strictObject({
  type: z.enum(declarableTypes).default('string'),
  multiValued: z.boolean().default(false),
  caseExact: z.boolean().optional(),
  description: z.string().max(1_000).default(''),
})

const extensions = named(
  z.strictObject({ attributes: named(attributeFormat, nameProblem, attributesPerExtension) }),
  urnProblem,
  extensionsPerConnection,
)

const connection = z.strictObject({
  platform: z.string(),
  mapping: z.string().min(1).optional(),
  mode: z.enum(['confirmed', 'deferred']).default('confirmed'),
  baseUrl: platformUrl,
  allowHttp: z.boolean().default(false),
  allowPrivateAddresses: z.boolean().default(false),
  tls: z
    .strictObject({ ca: file.optional(), certificate: file.optional(), key: file.optional() })
    .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
      error: 'certificate and key belong together: name both',
    })
    .optional(),
  ...connectionAccess,
  patch: z.enum(['lenient', 'strict']).default('lenient'),
  busyStatus: z.literal([429, 503]).default(429),
  pace: z
    .union(
      [
        z.literal('off'),
        z.strictObject({
          requestsPerSecond: z.number().positive().max(1_000),
          concurrency: z.number().int().min(1).max(64),
        }),
      ],
      { error: 'has to be off, or { requestsPerSecond: …, concurrency: … }' },
    )
    .optional(),
  retryAfterDeniedSeconds: seconds.optional(),
  reconcile: z.strictObject({ everyHours: z.number().min(1).max(8_760) }).optional(),
  groupPatchAnswer: z.enum(['none', 'group']).default('none'),
  computedAttributes: z.enum(['show', 'hide']).default('show'),
  unknownMembers: z.enum(['refuse', 'ignore']).default('refuse'),
  requests: z
    .strictObject({
      keepHours: z.number().int().min(0).max(720).default(72),
      bodies: z.enum(['none', 'masked', 'full']).default('masked'),
    })
    .default({ keepHours: 72, bodies: 'masked' }),
  guardrails: z.strictObject({ hold: z.boolean().default(false) }).default({ hold: false }),
  extensions: extensions.default({}),
  settings: z.record(z.string(), z.json()).default({}),
})

/** More than any rotation needs: one after the other is tried. */
const formerKeys = 10
const storeKey = z.string().refine(isStoreKey, {
  error: 'has to be a key of 32 bytes in base64: make one with `scim-bridge store key`, and keep a copy of it',
})

/** The shape of `bridge.yaml`, references replaced. */
export const configFormat = z.strictObject({
  publicUrl: url,
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.number().int().min(0).max(65_535).default(8080),
      tls: z.strictObject({ certificate: file, key: file }, { error: pairText }).optional(),
    })
    .default({ host: '127.0.0.1', port: 8080 }),
  store: storeFormat,
  encryption: z
    .strictObject({ key: storeKey.optional(), formerKeys: z.array(storeKey).max(formerKeys).default([]) })
    .optional(),
  log: z
    .strictObject({ level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info') })
    .default({ level: 'info' }),
  allowLiteralSecrets: z.boolean().default(false),
  ...bridgeAccess,
  retry: z.strictObject({ maximumSeconds: seconds.default(3_600) }).default({ maximumSeconds: 3_600 }),
  limits: z
    .strictObject({
      requestsPerSecond: z.number().positive().max(1_000_000).default(requestsPerSecond),
      burst: z.number().int().min(1).max(10_000_000).default(requestBurst),
      concurrentRequests: z.number().int().min(1).max(10_000).default(concurrentRequests),
    })
    .default({ requestsPerSecond, burst: requestBurst, concurrentRequests }),
  retention: z
    .strictObject({ tombstoneDays: days.default(retentionDays), auditDays: days.default(retentionDays) })
    .default({ tombstoneDays: retentionDays, auditDays: retentionDays }),
  alarms: alarmsFormat,
  telemetry: telemetryFormat,
  connections: z.record(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'a connection is named by small letters, digits and hyphens' })
      .refine((name) => !reservedNames.has(name), { error: 'this name belongs to the bridge itself' }),
    connection,
  ),
})

/** Keys by place, for suggestions; `*` stands for the name of a connection. */
export const knownKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(configFormat.shape)],
  ['listen', ['host', 'port', 'tls']],
  ['listen.tls', ['certificate', 'key']],
  ['store', Object.keys(postgresFormat.shape)],
  ['store.tls', ['ca', 'certificate', 'key']],
  ['encryption', ['key', 'formerKeys']],
  ['log', ['level']],
  ...alarmKeys,
  ...telemetryKeys,
  ['retry', ['maximumSeconds']],
  ['limits', ['requestsPerSecond', 'burst', 'concurrentRequests']],
  ['retention', ['tombstoneDays', 'auditDays']],
  ['connections.*', Object.keys(connection.shape)],
  ['connections.*.guardrails', ['hold']],
  ['connections.*.requests', ['keepHours', 'bodies']],
  ['connections.*.tls', ['ca', 'certificate', 'key']],
  ['connections.*.pace', ['requestsPerSecond', 'concurrency']],
  ...accessKeys,
  ['connections.*.reconcile', ['everyHours']],
  ['connections.*.extensions.*', ['attributes']],
  ['connections.*.extensions.*.attributes.*', Object.keys(attributeFormat.shape)],
])

/** Settings under these names are secrets. */
export const secretSettings: ReadonlySet<string> = new Set(['token', 'password', 'secret', 'jwtSecret'])

/** Name → description of it; no name twice in two letter cases. */
function named<Value extends z.ZodType>(value: Value, problemOf: (name: string) => string | undefined, limit: number) {
  const name = z.string().superRefine((text, context) => {
    const message = problemOf(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
  return z.record(name, value).superRefine((record, context) => {
    const names = Object.keys(record)
    const twice = repeated(names)
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', path: [twice], message: 'is declared twice, in different letter case' })
    }
    if (names.length > limit) context.addIssue({ code: 'custom', message: `has more than ${limit} entries` })
  })
}

/** 32 bytes in base64, written in the one way there is. */
function isStoreKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 && bytes.toString('base64') === text
}
