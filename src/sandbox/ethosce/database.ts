/** What the database refuses after the web service has let it pass: seen only as a page without a reason. */
import { crash, Refusal } from './answers.ts'
import type { EthosceState } from './state.ts'

export function databaseError(state: EthosceState, reason: string) {
  return crash(state.knobs.showsErrors ? `PDOException: ${reason}` : undefined)
}

/** A database whose UTF-8 has three bytes cannot hold an emoji, in any column. */
export function checkCharacters(state: EthosceState, column: string, value: string | null): void {
  if (state.knobs.fourByteText || value === null || !/[\u{10000}-\u{10FFFF}]/u.test(value)) return
  throw new Refusal(databaseError(state, `Incorrect string value for column '${column}'`))
}
