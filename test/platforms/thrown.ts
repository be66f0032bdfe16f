import assert from 'node:assert/strict'
import { PlatformError } from '../../src/errors.ts'

/** The platform error that the promise is rejected with; anything else fails the test. */
export async function thrownBy(promise: Promise<unknown>): Promise<PlatformError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error))
    return error
  }
  assert.fail('nothing was thrown')
}
