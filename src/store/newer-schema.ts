/** A newer release has written this store. The process ends with 57. */
export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'
}
