import type { AccountId } from '../facts.ts'
import type { Call } from './platform.ts'

/**
 * What one step of an attempt has read and its next step needs: `readGrants` keeps it, `writeGrants` takes it, so that
 * deciding between them costs no second read. Taken once: after a write it would be stale.
 */
export interface ReadAhead<Value> {
  keep(call: Call, id: AccountId, value: Value): Value
  /** What was kept in this attempt, else what `read` gives. */
  take(call: Call, id: AccountId, read: () => Promise<Value>): Promise<Value>
}

export function createReadAhead<Value>(): ReadAhead<Value> {
  const kept = new WeakMap<Call, Map<AccountId, Value>>()
  return {
    keep(call, id, value) {
      const ofCall = kept.get(call)
      if (ofCall === undefined) kept.set(call, new Map([[id, value]]))
      else ofCall.set(id, value)
      return value
    },
    async take(call, id, read) {
      const ofCall = kept.get(call)
      const value = ofCall?.get(id)
      ofCall?.delete(id)
      return value ?? read()
    },
  }
}
