/** How SelfCommunity writes its answers and refusals. */
import type { SimulatorAnswer } from '../simulator.ts'
import type { SelfcommunityKnobs } from './knobs.ts'

/** Thrown anywhere below the dispatcher: the call is over with this answer. */
export class Refusal extends Error {
  readonly answer: SimulatorAnswer
  constructor(answer: SimulatorAnswer) {
    super(`Refused with ${answer.status}`)
    this.name = 'Refusal'
    this.answer = answer
  }
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

export const noContent: SimulatorAnswer = { status: 204 }

export function html(status: number, title: string): SimulatorAnswer {
  const body = `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

/** The list of general errors: `{message, code}`. */
export function refusal(status: number, code: string, message: string): Refusal {
  return new Refusal(json(status, { errors: [{ message, code }] }))
}

export type FieldProblem = readonly [field: string, code: string, message: string]

/** The list of errors by field: `{field, messages: [{message, code}]}`. */
export function invalidFields(problems: readonly FieldProblem[]): Refusal {
  const errors = problems.map(([field, code, message]) => ({ field, messages: [{ message, code }] }))
  return new Refusal(json(400, { errors }))
}

export function invalidField(field: string, code: string, message: string): Refusal {
  return invalidFields([[field, code, message]])
}

/** A value that somebody else has: 400 in one of several forms, never 409. */
export function taken(knobs: SelfcommunityKnobs, field: string): Refusal {
  const message = `This ${field} is already in use.`
  if (knobs.duplicateBody === 'text') {
    return new Refusal({ status: 400, headers: { 'content-type': 'text/plain' }, body: message })
  }
  const said = { message, ...(knobs.duplicateCode === 'none' ? {} : { code: knobs.duplicateCode }) }
  return new Refusal(json(400, { errors: [knobs.duplicateNamesField ? { field, messages: [said] } : said] }))
}

export const unauthorized = (message: string): Refusal =>
  new Refusal(
    json(401, { errors: [{ message, code: 'not_authenticated' }] }, { 'www-authenticate': 'Bearer realm="api"' }),
  )
export const forbidden = (message: string): Refusal => refusal(403, 'permission_denied', message)
export const notFound = (): Refusal => refusal(404, 'not_found', 'Not found.')
