import type { Request } from 'express'
import { Problem } from '../errors.ts'
import { consoleFormBytes } from '../limits.ts'

/** The fields of a form, each once. Throws a `Problem` (400, 413, 415). */
export async function readForm(request: Request, limit = consoleFormBytes): Promise<ReadonlyMap<string, string>> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Problem(415, undefined, 'A form (application/x-www-form-urlencoded) is wanted.')
  }
  const parts: Buffer[] = []
  let size = 0
  for await (const part of arriving(request)) {
    if (!Buffer.isBuffer(part)) continue
    size += part.length
    if (size > limit) {
      throw new Problem(413, undefined, `The form is larger than ${limit} bytes.`, {
        // What is left of it is not waited for.
        headers: { Connection: 'close' },
      })
    }
    parts.push(part)
  }
  const fields = new URLSearchParams(Buffer.concat(parts).toString('utf8'))
  const form = new Map<string, string>()
  for (const [name, value] of fields) {
    if (form.has(name)) throw new Problem(400, undefined, 'The form has a field twice.')
    form.set(name, value)
  }
  return form
}

/** Throws a `Problem` (400) when the browser, or whoever it is, goes before the end: nothing is wrong with the bridge then. */
async function* arriving(request: Request): AsyncGenerator<unknown> {
  try {
    yield* request
  } catch (cause) {
    throw new Problem(400, undefined, 'The form ended early.', { cause })
  }
}
