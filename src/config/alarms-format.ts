/** The part of `bridge.yaml` that says whom alarms are told to, and how. */
import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { isJsonObject, type Json } from '../json.ts'
import { checkOutgoing, type HostProblem, receiverUrl } from './outgoing-url.ts'
import type { Report } from './references.ts'

/** As it stands in a header and in SMTP: no name beside it, nothing that ends the line. */
const mailAddress = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, {
    error: 'has to be one address and nothing else, for example night-shift@uni.example',
  })

const mailHost = z
  .string()
  .max(253)
  .refine((text) => isIPv6(text) || /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text), {
    error: 'has to be the name or address of a mail server, without protocol and port, for example smtp.uni.example',
  })

/** A list that is longer belongs into the mail server. */
const mostRecipients = 20

/** `alarms.email`. */
export const emailFormat = z
  .strictObject({
    host: mailHost,
    port: z.number().int().min(1).max(65_535).default(587),
    tls: z.enum(['starttls', 'implicit', 'off']).optional(),
    ca: z.string().min(1).optional(),
    user: z.string().min(1).max(320).optional(),
    password: z.string().min(1).optional(),
    from: mailAddress,
    to: z.array(mailAddress).min(1).max(mostRecipients),
    allowPrivateAddresses: z.boolean().default(false),
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    error: 'user and password belong together: name both, or none where the mail server asks for none',
  })
  .refine(({ tls, password }) => tls !== 'off' || password === undefined, {
    path: ['tls'],
    error: 'the password would go out in clear text: say starttls or implicit, or leave user and password out',
  })
  .refine(({ tls, ca }) => tls !== 'off' || ca === undefined, {
    path: ['ca'],
    error: 'is of no use with tls: off',
  })

const defaults = { departureMinutes: 60, repeatHours: 24, repeats: 7 }

export const alarmsFormat = z
  .strictObject({
    webhook: z
      .strictObject({
        url: receiverUrl,
        secret: z.string().min(1),
        allowHttp: z.boolean().default(false),
        allowPrivateAddresses: z.boolean().default(false),
      })
      .optional(),
    email: emailFormat.optional(),
    departureMinutes: z.number().int().min(1).max(43_200).default(defaults.departureMinutes),
    repeatHours: z.number().min(1).max(720).default(defaults.repeatHours),
    repeats: z.number().int().min(0).max(1_000).default(defaults.repeats),
  })
  .default(defaults)

/** Keys by place, for suggestions. */
export const alarmKeys: readonly (readonly [string, readonly string[]])[] = [
  ['alarms', Object.keys(alarmsFormat.unwrap().shape)],
  ['alarms.webhook', ['url', 'secret', 'allowHttp', 'allowPrivateAddresses']],
  ['alarms.email', Object.keys(emailFormat.shape)],
]

export interface AlarmsConfig {
  /** Neither this nor `email`: alarms are in the log and in metrics only. */
  readonly webhook:
    | { readonly url: string; readonly secret: () => string; readonly allowPrivateAddresses: boolean }
    | undefined
  readonly email: EmailConfig | undefined
  readonly departureMinutes: number
  readonly repeatHours: number
  readonly repeats: number
}

export interface EmailConfig {
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit' | 'off'
  /** Path of a PEM file. */
  readonly ca: string | undefined
  readonly login: { readonly user: string; readonly password: () => string } | undefined
  readonly from: string
  readonly to: readonly string[]
  readonly allowPrivateAddresses: boolean
}

/** Port of SMTP within TLS (RFC 8314). */
const implicitPort = 465

/** `path` makes paths absolute; `present` gives a secret as it is now. */
export function alarmsConfig(
  { webhook, email, ...times }: z.output<typeof alarmsFormat>,
  path: (name: string) => string,
  present: (place: string, text: string) => () => string,
): AlarmsConfig {
  if (email === undefined) return { ...times, webhook: webhookConfig(webhook, present), email: undefined }
  const { ca, user, password, tls, ...rest } = email
  const login =
    user === undefined || password === undefined
      ? undefined
      : { user, password: present('alarms.email.password', password) }
  return {
    ...times,
    webhook: webhookConfig(webhook, present),
    email: {
      ...rest,
      tls: tls ?? (email.port === implicitPort ? 'implicit' : 'starttls'),
      ca: ca === undefined ? undefined : path(ca),
      login,
    },
  }
}

function webhookConfig(
  webhook: z.output<typeof alarmsFormat>['webhook'],
  present: (place: string, text: string) => () => string,
): AlarmsConfig['webhook'] {
  if (webhook === undefined) return undefined
  const { url, secret, allowPrivateAddresses } = webhook
  return { url, secret: present('alarms.webhook.secret', secret), allowPrivateAddresses }
}

/** Where alarms may go: as calls to platforms. */
export function checkAlarms(resolved: Json, hostProblem: HostProblem | undefined, report: Report): void {
  const alarms = isJsonObject(resolved) ? resolved.alarms : undefined
  const { webhook, email } = isJsonObject(alarms) ? alarms : {}
  if (isJsonObject(webhook)) {
    const outgoing = { url: webhook.url, place: ['alarms', 'webhook', 'url'], what: 'alarms', beside: webhook }
    checkOutgoing(outgoing, hostProblem, report)
  }
  if (isJsonObject(email) && typeof email.host === 'string') {
    const host = isIPv6(email.host) ? `[${email.host}]` : email.host
    const problem = hostProblem?.(`https://${host}`, email.allowPrivateAddresses === true)
    if (problem !== undefined) report(['alarms', 'email', 'host'], problem)
  }
}
