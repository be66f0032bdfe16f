/** One message to the operator's own mail server, by the rules that calls to platforms keep. The only file that knows SMTP. */
import type { Socket } from 'node:net'
import type { Transporter } from 'nodemailer'
import { startDeadline } from '../deadline.ts'
import { mailTimeoutMs, platformTimeoutMs } from '../limits.ts'
import type { WatchedFile } from '../watched-file.ts'
import { addressRule } from './address.ts'
import { guardedConnect } from './connect.ts'

export interface MailSettings {
  readonly host: string
  readonly port: number
  /** `starttls` and `implicit` never go on without; `off` never begins it. */
  readonly tls: 'starttls' | 'implicit' | 'off'
  /** Instead of the authorities that Node trusts. Read anew for each message. */
  readonly ca: WatchedFile | undefined
  readonly login: { readonly user: string; readonly password: () => string } | undefined
  readonly from: string
  readonly to: readonly string[]
  readonly allowPrivateAddresses: boolean
}

export interface MailMessage {
  /** Without host: the same for every try, so that a mailbox may show it once. */
  readonly id: string
  /** Of the message that this one goes on from. */
  readonly follows?: string
  readonly subject: string
  readonly text: string
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Mail {
  /** Resolves when the server took it, with the number of recipients that it refused. Rejects with a class, never with a text of the server. */
  send(message: MailMessage, signal: AbortSignal): Promise<{ readonly refused: number }>
  /** Whether a message would be taken: connection, TLS and password. Sends none. Rejects as `send`. */
  probe(): Promise<void>
}

export function createMail(settings: MailSettings): Mail {
  const { host, port, tls, ca, login, from, to } = settings
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const mayConnect = addressRule(settings.allowPrivateAddresses)

  /** A new one for each message: password and authority are those of now. Most bridges send none, and never load what it takes. */
  async function transport(): Promise<Transporter> {
    const { createTransport } = await import('nodemailer')
    const connect = guardedConnect({ timeoutMs: platformTimeoutMs, mayConnect })
    return createTransport({
      host,
      port,
      name: domain,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'off',
      tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: ca.text() }) },
      // Without a password nothing is sent either, where a server is asked to show who we are and does not offer it.
      ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password() }, forceAuth: true }),
      connectionTimeout: platformTimeoutMs,
      greetingTimeout: platformTimeoutMs,
      socketTimeout: mailTimeoutMs,
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
      // The address is looked at before the first byte, as for platforms.
      getSocket(_options, callback) {
        connect({ hostname: host, host, protocol: 'http:', port: String(port) }, (...[error, socket]) => {
          if (error !== null) return callback(error)
          callback(null, { connection: socket satisfies Socket })
        })
      },
    })
  }

  return {
    async send({ id, follows, subject, text, now }, signal) {
      const deadline = startDeadline(mailTimeoutMs, [signal])
      try {
        const { rejected } = await (await transport()).sendMail({
          from,
          to: [...to],
          subject,
          text,
          date: new Date(now),
          messageId: `<${id}@${domain}>`,
          ...(follows === undefined
            ? {}
            : { inReplyTo: `<${follows}@${domain}>`, references: `<${follows}@${domain}>` }),
          // RFC 3834: nobody's holiday answers it.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: deadline.signal,
        })
        return { refused: rejected?.length ?? 0 }
      } catch (error) {
        if (signal.aborted) throw signal.reason
        const isLate = deadline.signal.aborted
        throw new Error(isLate ? `the mail server took longer than ${mailTimeoutMs / 1_000} s` : classOf(error))
      } finally {
        deadline.end()
      }
    },
    async probe() {
      try {
        await (await transport()).verify()
      } catch (error) {
        throw new Error(classOf(error))
      }
    },
  }
}

const meanings: ReadonlyMap<string, string> = new Map([
  ['EAUTH', 'the mail server refused user or password'],
  ['ENOAUTH', 'the mail server asks for user and password'],
  ['ETLS', 'the mail server offers no TLS, so nothing was sent'],
  ['EENVELOPE', 'the mail server refused sender or recipients'],
  ['EMESSAGE', 'the mail server refused the message'],
  ['ETIMEDOUT', 'the mail server did not answer in time'],
  ['ECONNECTION', 'the mail server ended the connection'],
])

/** Class and status, never the text of a server: it may repeat what it was sent. */
function classOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const status = 'responseCode' in error && typeof error.responseCode === 'number' ? ` ${error.responseCode}` : ''
  if (code === undefined) return error.message
  const meaning = meanings.get(code)
  return meaning === undefined ? `${code}${status}` : `${meaning} (${code}${status})`
}
