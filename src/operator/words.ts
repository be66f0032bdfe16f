/** What operators read instead of classes and codes. */
import type { FreshAccount } from '../provision/read-account.ts'

const kinds: ReadonlyMap<string, string> = new Map([
  ['unreachable', 'The platform cannot be reached'],
  ['unknown', 'The platform did not confirm the change; the bridge looks again before it tries anew'],
  ['busy', 'The platform asked to wait, or a person was invited and has not made the account yet'],
  ['refused', 'The platform refuses a value: change it at the identity provider or in the mapping'],
  ['immutable', 'The platform, the mapping or a protection forbids this change'],
  ['conflict', 'A value is taken by another account on the platform'],
  ['disputed', 'More than one account fits, or the one that fits belongs to another person: a human has to choose'],
  ['absent', 'The account is gone from the platform'],
  ['denied', "The platform refuses the bridge's own credentials: renew them in the settings"],
  ['broken', 'The platform answered in an unexpected way'],
  ['operator', 'An operator holds it'],
  ['fault', 'A defect in the bridge; its log has the reason'],
])

/** The class of an error as a sentence. */
export function errorText(kind: string | undefined): string {
  if (kind === undefined) return 'No error: in its turn, or held by the guardrail on many departures'
  return kinds.get(kind) ?? kind
}

const states: ReadonlyMap<string, string> = new Map([
  ['waiting', 'waiting'],
  ['running', 'in work'],
  ['failed', 'failed'],
  ['held', 'held'],
])

export function stateText(state: string | undefined): string {
  return state === undefined ? 'applied' : (states.get(state) ?? state)
}

/** `3 people`, `1 person`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Why an account could not be read now; undefined: it could. `platform`: its name for people. */
export function notReadText(fresh: FreshAccount, platform: string): string | undefined {
  switch (fresh.kind) {
    case 'read':
      return undefined
    case 'gone':
      return `${platform} has no account with this id any more.`
    case 'suspended':
      return `Calls to ${platform} are suspended, so it was not asked: ${errorText(fresh.reason)}.`
    case 'late':
      return `${platform} has not answered in time, or other calls are before this one at the connection's pace: try again later.`
    case 'failed':
      return `${platform} could not be asked: ${errorText(fresh.errorKind)} (${fresh.detail}).`
  }
}
