/** The control interface of a simulator: outside the platform's base path, and answered at once in every fault mode. */
import * as z from 'zod'
import type { FaultSchedule } from './faults.ts'
import type { Recorder } from './recorder.ts'
import { faultModes, type SimulatorAnswer } from './simulator.ts'

export const controlPath = '/__sim'
/** The longest wait that may be asked for, so that a mistyped delay cannot hold sockets for days. */
const maxDelayMs = 600_000
/** More than any client should take, and little enough for the simulator's own memory when the body is short. */
const maxRepeat = 10_000_000

const faultRequest = z.object({
  mode: z.preprocess((mode) => (typeof mode === 'number' ? String(mode) : mode), z.enum(faultModes)),
  delayMs: z.number().min(0).max(maxDelayMs).optional(),
  only: z.enum(['reads', 'writes']).optional(),
  path: z.string().optional(),
  skip: z.number().int().min(0).optional(),
  times: z.number().int().min(1).optional(),
  retryAfter: z.string().optional(),
  location: z.string().optional(),
  status: z.number().int().min(200).max(599).optional(),
  contentType: z.string().optional(),
  body: z.string().optional(),
  repeat: z.number().int().min(1).max(maxRepeat).optional(),
  bodyAs: z.enum(['gzip', 'latin1']).optional(),
  isDone: z.boolean().optional(),
})

/** Answers `GET|POST /__sim/fault`, `GET /__sim/calls`, `POST /__sim/reset`. */
export function answerControl(
  method: string,
  path: string,
  body: string,
  faults: FaultSchedule,
  recorder: Recorder,
): SimulatorAnswer {
  const route = `${method} ${path.slice(controlPath.length)}`
  if (route === 'GET /fault') return json(200, faultState(faults))
  if (route === 'POST /fault') {
    const parsed = faultRequest.safeParse(parseJson(body))
    if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error), modes: faultModes })
    faults.set(parsed.data)
    return json(200, faultState(faults))
  }
  if (route === 'GET /calls') {
    return json(200, {
      calls: recorder.calls.map((call) => ({ method: call.method, path: call.path, status: call.status })),
    })
  }
  if (route === 'POST /reset') {
    faults.set({ mode: 'ok' })
    recorder.forget()
    return json(200, faultState(faults))
  }
  return json(404, { message: 'The control interface has GET and POST fault, GET calls and POST reset.' })
}

function faultState(faults: FaultSchedule) {
  return { mode: faults.mode, fired: faults.fired, waiting: faults.waiting }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function json(status: number, value: unknown): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
