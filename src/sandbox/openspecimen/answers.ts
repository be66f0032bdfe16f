/** How OpenSpecimen writes its answers: 200 for every success, 400 with a list of codes for every refusal, a web page for 401. */
import type { SimulatorAnswer } from '../simulator.ts'

export interface CodedError {
  readonly code: string
  readonly message: string
}

/** Thrown anywhere below the dispatcher: nothing was done, and the call is over with these errors. */
export class Refusal extends Error {
  readonly errors: readonly CodedError[]
  readonly status: number
  constructor(errors: readonly CodedError[], status = 400) {
    super(errors.map((error) => error.code).join(', '))
    this.name = 'Refusal'
    this.errors = errors
    this.status = status
  }
}

/** A refusal with one code. */
export function refusal(code: string, message: string = sentence(code)): Refusal {
  return new Refusal([{ code, message }])
}

export const accessDenied = () => refusal('RBAC_ACCESS_DENIED', "You don't have rights to do this operation.")
export const invalidRequest = (message = 'JSON parse error') => refusal('INVALID_REQUEST', message)
/** What a NullPointerException or a database error looks like from outside. */
export const internalError = () =>
  new Refusal([{ code: 'internal_error', message: 'Internal error. Please contact your administrator.' }], 500)

/** `USER_DUP_EMAIL` → `User dup email.`: the real texts are localised, and nobody may rely on them. */
export function sentence(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): SimulatorAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
    body: JSON.stringify(value),
  }
}

export function toAnswer(cause: Refusal): SimulatorAnswer {
  const errors = cause.errors.map(({ code, message }) => ({ code, message: escapeHtml(message) }))
  return {
    status: cause.status,
    headers: { 'content-type': 'application/json;charset=UTF-8' },
    body: JSON.stringify(errors),
  }
}

/** The container's error page. The challenge is sent only to callers that showed no credentials at all. */
export function page(status: number, title: string, challenge = false): SimulatorAnswer {
  const headers = { 'content-type': 'text/html;charset=utf-8', 'content-language': 'en' }
  return {
    status,
    headers: challenge ? { ...headers, 'www-authenticate': 'Basic realm="OpenSpecimen"' } : headers,
    body: `<!doctype html><html lang="en"><head><title>HTTP Status ${status} – ${title}</title></head><body><h1>HTTP Status ${status} – ${title}</h1></body></html>`,
  }
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
