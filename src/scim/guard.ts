/** `status: 0` makes the SCIM library's own error answer throw before a byte is sent, so that ours is the only one. */
export class Sentinel extends Error {
  readonly status = 0
}
const sentinel = new Sentinel('see locals.problem')

/**
 * Runs one of our handlers under the SCIM library's routes. Whatever it throws is kept for the last error handler (`keep`): where
 * the library answers errors itself it turns any foreign one into 404, which an identity provider reads as "the user is gone".
 */
export async function guard<T>(keep: (problem: unknown) => void, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    keep(error)
    throw sentinel
  }
}
