/** How DSpace writes its answers: HAL for what it shows, Spring Boot's document for what it refuses. */
import { STATUS_CODES } from 'node:http'
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'

/** Servlet path of the backend. */
export const basePath = '/server'
const authenticate = 'password realm="DSpace REST API"'

/** Thrown anywhere below the dispatcher: the call is over with this answer. */
export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'Refusal'
    this.status = status
  }
}

export function hal(status: number, value: unknown): SimulatorAnswer {
  return {
    status,
    headers: { 'content-type': 'application/hal+json;charset=UTF-8' },
    body: JSON.stringify(value),
  }
}

export const empty = (status: number): SimulatorAnswer => ({ status, body: '' })

/** `{timestamp, status, error, message, path}`. */
export function springError(status: number, message: string, request: SimulatorRequest, at: number): SimulatorAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(status === 401 ? { 'www-authenticate': authenticate } : {}),
    },
    body: JSON.stringify({
      timestamp: new Date(at).toISOString().replace('Z', '+00:00'),
      status,
      error: STATUS_CODES[status] ?? '',
      message,
      path: basePath + request.path,
    }),
  }
}

export const badRequest = (message: string) => new Refusal(400, message)
export const unprocessable = (message: string) => new Refusal(422, message)
export const notFound = () => new Refusal(404, 'The requested resource could not be found')
/** What the database or the source did not expect; the message says nothing. */
export const broken = () => new Refusal(500, 'An exception has occurred')

/** Spring's access denied: what it is depends on whether somebody is signed in. */
export function denied(isSignedIn: boolean): Refusal {
  return isSignedIn ? new Refusal(403, 'Access is denied') : new Refusal(401, 'Authentication is required')
}

export function withHeaders(answer: SimulatorAnswer, headers: SimulatorAnswer['headers']): SimulatorAnswer {
  return { ...answer, headers: { ...answer.headers, ...headers } }
}
