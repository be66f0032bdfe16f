/** Whom alarms are told to, as bridge.yaml says: part of the composition root. */
import { mailWay, type Way, webhookWay } from './alarms/way.ts'
import { mailAuthority } from './certificates.ts'
import type { Config } from './config/config.ts'
import type { Log } from './log.ts'
import type { MailSettings } from './platforms/mail.ts'

/** Throws when a certificate cannot be used: found at start, not with the first alarm. */
export function alarmWays(config: Config, log: Log): readonly Way[] {
  const { webhook } = config.alarms
  const email = mailSettings(config)
  const noteRefused = (recipients: number) =>
    log.warn({ way: 'email', recipients }, 'an alarm was not taken for all who should get it')
  return [
    ...(webhook === undefined ? [] : [webhookWay(webhook)]),
    ...(email === undefined ? [] : [mailWay(email, { publicUrl: config.publicUrl, noteRefused })]),
  ]
}

/** Undefined: no e-mail is sent. Throws as `alarmWays`. */
export function mailSettings(config: Config): MailSettings | undefined {
  const { email } = config.alarms
  return email === undefined ? undefined : { ...email, ca: mailAuthority(config) }
}
