/**
 * Questions to a platform at set-up: reads only, one after the other. What a platform refuses is told with what to mend, in
 * the platform's own words for rights and settings.
 */
import { PlatformError } from '../errors.ts'
import type { Call, ProbeStep } from './platform.ts'

export interface ProbeQuestion {
  /** What is asked for: `sign-in`, `right to moderate`. */
  readonly name: string
  /** What was seen, or what is doubtful about it. Throws where it cannot be had. */
  ask(call: Call): Promise<string | Doubt>
  /** What the platform's administrator, or the one who keeps bridge.yaml, does when it cannot be had. */
  readonly remedy: string
  /** Without it the connection works in part. */
  readonly isOptional?: boolean
}

export interface Doubt {
  readonly seen: string
  readonly remedy: string
}

/**
 * Where something that is needed cannot be had nothing more is asked: the rest would fail of the same, and some platforms
 * count refusals.
 */
export async function probeInOrder(call: Call, questions: readonly ProbeQuestion[]): Promise<readonly ProbeStep[]> {
  const steps: ProbeStep[] = []
  let isOver = false
  for (const { name, ask, remedy, isOptional = false } of questions) {
    if (isOver) {
      steps.push({ name, result: 'skipped', seen: 'not asked', remedy: undefined })
      continue
    }
    try {
      const seen = await ask(call)
      const doubt = typeof seen === 'string' ? undefined : seen
      const text = typeof seen === 'string' ? seen : seen.seen
      steps.push({ name, result: doubt === undefined ? 'ok' : 'warning', seen: text, remedy: doubt?.remedy })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      isOver = !isOptional || !mayAskOn.has(error.kind)
      const isAway = error.kind === 'unreachable' || error.kind === 'busy' || error.kind === 'unknown'
      steps.push({
        name,
        result: isOptional ? 'warning' : 'failed',
        seen: `${error.kind}: ${error.detail}`,
        remedy: isAway ? awayRemedy : remedy,
      })
    }
  }
  return steps
}

const mayAskOn = new Set(['broken', 'refused', 'absent', 'denied', 'immutable'])
const awayRemedy =
  'look whether baseUrl is right, the platform is up, and this machine may reach it (allowPrivateAddresses for an inner address)'
