/** The HTTP server in front of a platform's logic: sockets, faults, recording and the control interface. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerControl, controlPath } from './control.ts'
import { createFaultSchedule, type Exchange } from './faults.ts'
import { createRecorder, type OpenCall } from './recorder.ts'
import type { PlatformLogic, RunningSimulator, SimulatorAnswer, SimulatorRequest } from './simulator.ts'

const maxBodyBytes = 5_000_000
const defaultRecordedCalls = 2_000
/** Longer than clients keep idle sockets, so that a reused socket never closes under a request by accident. */
const keepAliveMs = 120_000

export interface SimulatorOptions {
  /** 0 or absent: a free one. */
  readonly port?: number
  readonly maxRecordedCalls?: number
}

/** Starts one simulator on 127.0.0.1. Rejects when the port is taken. */
export async function startSimulator(logic: PlatformLogic, options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const faults = createFaultSchedule()
  const recorder = createRecorder(options.maxRecordedCalls ?? defaultRecordedCalls)
  let callsUntilRefusal: number | undefined

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = incoming.url ?? '/'
    const path = url.split('?', 1)[0] ?? '/'
    if (path === controlPath || path.startsWith(`${controlPath}/`)) {
      const body = await readBody(incoming)
      const answer = answerControl(incoming.method ?? 'GET', path, body ?? '', faults, recorder)
      return write(response, answer)
    }
    const call: OpenCall = {
      method: incoming.method ?? 'GET',
      path: url,
      requestBody: '',
      requestHeaders: plainHeaders(incoming),
      status: 0,
      responseHeaders: {},
      responseBody: '',
    }
    const body = await readBody(incoming)
    if (body === undefined) {
      recorder.begin(call)
      const answer = plainText(413, 'Payload too large')
      recorder.answered(call, answer.status, {}, answer.body ?? '')
      response.shouldKeepAlive = false
      return write(response, answer)
    }
    call.requestBody = body
    recorder.begin(call)
    const record = (answer: SimulatorAnswer) =>
      recorder.answered(call, answer.status, joinedHeaders(answer), answer.body ?? '')
    const request = toRequest(call, body, logic.basePath)
    if (request === undefined) {
      const answer = plainText(404, 'Not found')
      record(answer)
      return write(response, answer)
    }
    countDown(response)
    await faults.apply(exchangeOf(logic, request, response, record))
  }
  /** No socket outlives this answer: the next call needs a new one, and finds nobody. */
  const countDown = (response: ServerResponse) => {
    if (callsUntilRefusal === undefined) return
    response.shouldKeepAlive = false
    callsUntilRefusal -= 1
    if (callsUntilRefusal <= 0) server.close()
  }

  const server = createServer({ keepAliveTimeout: keepAliveMs }, (incoming, response) => {
    serve(incoming, response).catch((cause: unknown) => {
      // The client went away while it was sending.
      if (!incoming.complete) return
      // A defect of the simulator must look like one, never like a platform's answer.
      process.stderr.write(`simulator: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`)
      if (!response.headersSent) write(response, plainText(599, 'Simulator defect'))
    })
  })
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(options.port ?? 0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The simulator has no port.')
  const { port } = address
  const origin = `http://127.0.0.1:${port}`

  return {
    baseUrl: origin + logic.basePath,
    controlUrl: origin + controlPath,
    calls: recorder.calls,
    forgetCalls: () => recorder.forget(),
    fault: (fault) => faults.set(fault),
    get faultCount() {
      return faults.fired
    },
    refuseAfter: (calls) => {
      callsUntilRefusal = calls
      if (calls > 0) return Promise.resolve()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
    accept: async () => {
      callsUntilRefusal = undefined
      if (!server.listening) await listen(port)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        faults.set({ mode: 'ok' })
      }),
  }
}

function exchangeOf(
  logic: PlatformLogic,
  request: SimulatorRequest,
  response: ServerResponse,
  record: (answer: SimulatorAnswer) => void,
): Exchange {
  const socket = response.socket
  return {
    request,
    isWrite: logic.isWrite(request),
    perform: async () => logic.answer(request),
    send: (answer) => {
      if (response.destroyed) return
      record(answer)
      write(response, answer, request.method === 'HEAD')
    },
    cut: (sent) => {
      if (sent === undefined) socket?.destroy()
      else socket?.write(sent, () => socket.destroy())
    },
    sendPart: (answer) => {
      if (response.destroyed) return
      record(answer)
      const bytes = Buffer.from(answer.body ?? '')
      response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length + 100 })
      response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => socket?.destroy())
      response.flushHeaders()
    },
    drip: async (answer, waitBetween) => {
      if (response.destroyed) return
      record(answer)
      const bytes = Buffer.from(answer.body ?? '')
      response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length })
      for (let at = 0; at < bytes.length && !response.destroyed; at += 1) {
        if (at > 0) await waitBetween()
        response.write(bytes.subarray(at, at + 1))
      }
      response.end()
    },
    isOpen: () => !response.destroyed,
    refuseCredentials: () => logic.refuseCredentials(request),
    serverError: () => logic.serverError(request),
  }
}

/** Undefined when the path is not below the base path or cannot be decoded. */
function toRequest(call: OpenCall, body: string, basePath: string): SimulatorRequest | undefined {
  const rawPath = call.path.startsWith(basePath) ? call.path.slice(basePath.length) || '/' : undefined
  if (rawPath === undefined || !(rawPath.startsWith('/') || rawPath.startsWith('?'))) return undefined
  const mark = rawPath.indexOf('?')
  const path = decoded(mark < 0 ? rawPath : rawPath.slice(0, mark))
  if (path === undefined) return undefined
  return {
    method: call.method,
    path: path === '' ? '/' : path,
    rawPath,
    query: new URLSearchParams(mark < 0 ? '' : rawPath.slice(mark + 1)),
    headers: call.requestHeaders,
    body,
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Undefined when the body is larger than a simulator takes. */
function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBodyBytes) chunks.push(chunk)
    })
    incoming.on('end', () => resolve(bytes > maxBodyBytes ? undefined : Buffer.concat(chunks).toString('utf8')))
    incoming.on('error', reject)
  })
}

function write(response: ServerResponse, answer: SimulatorAnswer, isHead = false): void {
  if (response.destroyed) return
  const body = answer.bytes ?? Buffer.from(answer.body ?? '')
  // 204 and 304 may carry no length; 205 must say that it is empty.
  const length = answer.status === 204 || answer.status === 304 ? {} : { 'content-length': String(body.length) }
  const headers = new Map<string, string | readonly string[]>(Object.entries({ ...length, ...answer.headers }))
  for (const [name, value] of headers) response.setHeader(name, value)
  response.writeHead(answer.status)
  response.end(isHead ? undefined : body)
}

function plainText(status: number, body: string): SimulatorAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}

function joinedHeaders(answer: SimulatorAnswer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
  )
}
