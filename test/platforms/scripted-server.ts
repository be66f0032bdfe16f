/** A server that answers exactly what a test says, for answers that an honest platform gives only by bad luck. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Pace } from '../../src/platforms/client.ts'

export interface ScriptedRequest {
  readonly method: string
  /** Without query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly json?: unknown
  readonly html?: string
}

export interface ScriptedServer {
  readonly baseUrl: string
  readonly requests: readonly ScriptedRequest[]
  /** `GET /users/7`, in order. */
  lines(): string[]
  /** Parsed body of the only request with this line. */
  bodyOf(line: string): unknown
  forget(): void
  close(): Promise<void>
}

export type Script = (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>

export const noPace: Pace = { acquire: async () => () => undefined, hold: () => undefined, noteAnswer: () => undefined }

export async function scriptedServer(script: Script, basePath = ''): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = []
  const server = createServer(async (incoming, outgoing) => {
    let text = ''
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1')
    const path = decodeURIComponent(url.pathname.slice(basePath.length))
    const request = { method: incoming.method ?? '', path, query: url.searchParams, headers: incoming.headers, text }
    requests.push(request)
    const { status = 200, headers = {}, json, html } = await script(request)
    const body = html ?? (json === undefined ? '' : JSON.stringify(json))
    const type = html === undefined ? 'application/json' : 'text/html;charset=utf-8'
    outgoing.writeHead(status, { ...(body === '' ? {} : { 'content-type': type }), ...headers })
    outgoing.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lines = () => requests.map(({ method, path }) => `${method} ${path}`)
  return {
    baseUrl: `http://127.0.0.1:${port}${basePath}`,
    requests,
    lines,
    bodyOf(line) {
      const found = requests.filter(({ method, path }) => `${method} ${path}` === line)
      if (found.length !== 1 || found[0] === undefined)
        throw new Error(`${found.length} requests are ${line}: ${lines()}`)
      return JSON.parse(found[0].text)
    },
    forget: () => void requests.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
