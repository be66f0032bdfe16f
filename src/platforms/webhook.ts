/** One JSON POST to the operator's own receiver, signed, by the rules that calls to platforms keep. */
import { createHmac } from 'node:crypto'
import { withDeadline } from '../deadline.ts'
import { alarmAnswerBytes, platformTimeoutMs } from '../limits.ts'
import { addressRule } from './address.ts'
import { guardedConnect } from './connect.ts'
import { Agent, request } from './undici.ts'

export interface WebhookSettings {
  readonly url: string
  /** As it is now: it may come from a file that is replaced. */
  readonly secret: () => string
  readonly allowPrivateAddresses: boolean
}

export interface Webhook {
  /** Resolves when it was taken (2xx). Rejects with a class, never with a text of the receiver. */
  send(message: object, now: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/**
 * `X-Scim-Bridge-Signature: sha256=<hex>` is HMAC-SHA256 over `<timestamp>.<body>`, the timestamp in seconds as in
 * `X-Scim-Bridge-Timestamp`: a receiver refuses what is old.
 */
export function createWebhook({ url, secret, allowPrivateAddresses }: WebhookSettings): Webhook {
  const connect = guardedConnect({ timeoutMs: platformTimeoutMs, mayConnect: addressRule(allowPrivateAddresses) })
  const dispatcher = new Agent({ connect, connections: 1 })
  const { origin, pathname, search } = new URL(url)
  return {
    async send(message, now, signal) {
      const body = JSON.stringify(message)
      const timestamp = String(Math.floor(now / 1000))
      const signature = createHmac('sha256', secret()).update(`${timestamp}.${body}`).digest('hex')
      // Redirects are not followed: the request does not go where the operator did not say.
      const status = await withDeadline(platformTimeoutMs, [signal], async (within) => {
        const answer = await request.call(dispatcher, {
          origin,
          path: `${pathname}${search}`,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'scim-bridge',
            'x-scim-bridge-timestamp': timestamp,
            'x-scim-bridge-signature': `sha256=${signature}`,
          },
          body,
          signal: within,
        })
        await answer.body.dump({ limit: alarmAnswerBytes })
        return answer.statusCode
      })
      if (status < 200 || status > 299) throw new Error(`status ${status}`)
    },
    close: () => dispatcher.close(),
  }
}
