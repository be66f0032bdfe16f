import { request as httpRequest } from 'node:http'
import type { Answer } from './openapi-document.ts'

export interface Sent {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** A body that is only announced is not sent: nobody could say when the connection ends. */
export function send(url: string, { method, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const answered = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(answered),
          text: Buffer.concat(parts).toString(),
        })
        request.destroy()
      })
    })
    request.on('error', reject)
    if (headers['Content-Length'] === undefined) request.end(body)
    else request.flushHeaders()
  })
}
