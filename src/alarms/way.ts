/** The ways in which alarms are told: by a webhook, by e-mail. */
import { createMail, type MailSettings } from '../platforms/mail.ts'
import { createWebhook, type WebhookSettings } from '../platforms/webhook.ts'
import { type AlarmKind, type Detail, sentenceOf } from './conditions.ts'
import { mailOf } from './mail-text.ts'

/** Numbers, classes and names of connections; nothing of a person. */
export interface Telling {
  readonly connection: string
  readonly kind: AlarmKind
  readonly state: 'raised' | 'repeated' | 'cleared'
  /** Milliseconds since 1970. */
  readonly since: number
  readonly now: number
  /** Which telling of this alarm it is, from 1. */
  readonly told: number
  readonly detail: Detail
}

/** In metrics, and in rows of the store. */
export type WayName = 'webhook' | 'email'

/** In place of a way where nobody is told: who asks is told since when it is so, by any replica. */
export const unsaid = 'unsaid'

export interface Way {
  readonly name: WayName
  /** Resolves when it was taken. Rejects with a class, or with the signal's reason. */
  tell(telling: Telling, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function webhookWay(settings: WebhookSettings): Way {
  const webhook = createWebhook(settings)
  return {
    name: 'webhook',
    tell({ connection, kind, state, since, now, told, detail }, signal) {
      const times = { since: new Date(since).toISOString(), at: new Date(now).toISOString(), told }
      const text = sentenceOf(kind, connection, detail)
      return webhook.send({ version: 1, alarm: kind, state, connection, ...times, detail, text }, now, signal)
    },
    close: () => webhook.close(),
  }
}

/** `noteRefused`: a message was taken, but not for so many of those whom it was to reach. */
export function mailWay(
  settings: MailSettings,
  { publicUrl, noteRefused }: { readonly publicUrl: string; readonly noteRefused: (recipients: number) => void },
): Way {
  const mail = createMail(settings)
  return {
    name: 'email',
    async tell(telling, signal) {
      const { refused } = await mail.send(mailOf(telling, publicUrl), signal)
      if (refused > 0) noteRefused(refused)
    },
    close: async () => {},
  }
}
