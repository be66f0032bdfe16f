/** How Figshare writes its answers and refusals. */
import type { SimulatorAnswer } from '../simulator.ts'
import type { FigshareKnobs } from './knobs.ts'

/** Thrown anywhere below the dispatcher: the call is over with this answer. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
  }
}

export function json(status: number, value: unknown): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

export const empty = (status: number): SimulatorAnswer => ({ status, body: '' })

/** `{message, code, data}`; the code is a number on paper and a text in practice, and the body may be missing. */
export function toAnswer(refusal: Refusal, knobs: FigshareKnobs): SimulatorAnswer {
  if (knobs.errorBody === 'empty') return empty(refusal.status)
  const code = knobs.errorCode === 'text' ? refusal.code : refusal.status
  return json(refusal.status, { message: refusal.message, code, data: null })
}

export function invalid(knobs: FigshareKnobs, message: string): Refusal {
  return new Refusal(knobs.invalidStatus, 'ValidationFailed', message)
}

/** An absent thing and one that the token may not see look alike. */
export function notFound(what: string): Refusal {
  return new Refusal(404, 'EntityNotFound', `${what} was not found, or you have no permission to see it`)
}

export function parseObject(body: string, knobs: FigshareKnobs): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw new Refusal(400, 'BadRequest', 'The body is not JSON')
  }
  if (isRecord(parsed)) return parsed
  throw invalid(knobs, 'The body is not an object')
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
