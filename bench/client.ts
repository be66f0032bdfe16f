/** The identity provider's side: requests over few kept connections, as identity providers have them. */
import { Agent, request } from 'node:http'

export interface Wanted {
  readonly url: string
  readonly token: string
  readonly method?: string
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly text: string
}

const inFlight = 8
const agent = new Agent({ keepAlive: true, maxSockets: inFlight })

export function send({ url, token, method = 'GET', body }: Wanted): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      authorization: `Bearer ${token}`,
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/scim+json', 'content-length': String(Buffer.byteLength(text)) }),
    }
    const sending = request(url, { agent, method, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
      answer.on('error', reject)
    })
    sending.on('error', reject)
    sending.end(text)
  })
}

/** Answers the body as JSON; anything but 2xx is the end of the bench. */
export async function sendWell(wanted: Wanted) {
  const { status, text } = await send(wanted)
  if (status >= 300) throw new Error(`${wanted.method ?? 'GET'} ${wanted.url}: status ${status} ${text.slice(0, 300)}`)
  return text === '' ? undefined : JSON.parse(text)
}

/** So many requests, some at a time. `next` gets 1, 2, 3 … */
export async function sendMany(count: number, next: (n: number) => Wanted): Promise<void> {
  let sent = 0
  const worker = async () => {
    while (sent < count) {
      sent += 1
      const wanted = next(sent)
      const { status, text } = await send(wanted)
      if (status >= 300) throw new Error(`${wanted.method ?? 'GET'} ${wanted.url}: ${status} ${text.slice(0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

export function disconnect(): void {
  agent.destroy()
}
