/**
 * One request and its whole answer, over undici's dispatcher. Its `request()` makes a stream of every answer, which costs more
 * than the answers that platforms give.
 */
import type { Dispatcher } from 'undici'

export interface Exchange {
  /** Absolute. */
  readonly url: string
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal
  /** From now to the end of the answer. */
  readonly timeoutMs: number
  /** A socket is ready and the first byte of the request is about to be written, not before. */
  onStart(): void
  /** Of the answer's body. */
  readonly maximumBytes: number
  tooLong(): Error
}

export interface Exchanged {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Rejects with the signal's reason, with an error that names the time-out, with `tooLong()`, or with what undici says; the socket is given up. */
export function exchangeOnce(dispatcher: Dispatcher, exchange: Exchange): Promise<Exchanged> {
  const { url, method, headers, body, signal, timeoutMs, onStart, maximumBytes, tooLong } = exchange
  const { origin, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    let controller: Dispatcher.DispatchController | undefined
    let failure: Error | undefined
    let answer: Pick<Exchanged, 'status' | 'headers'> | undefined
    const chunks: Buffer[] = []
    let bytes = 0
    const onAbort = () => fail(signal.reason)
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error) => {
      if (failure !== undefined) return
      failure = error
      end()
      controller?.abort(error)
      reject(error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    dispatcher.dispatch(
      { origin, path: `${pathname}${search}`, method, headers, body: body ?? null },
      {
        onRequestStart(started) {
          controller = started
          // It was given up while it waited for a socket.
          if (failure !== undefined) return started.abort(failure)
          onStart()
        },
        onResponseStart(_started, status, received) {
          // 1xx tells of an answer to come.
          if (status >= 200) answer = { status, headers: received }
        },
        onResponseData(_started, chunk) {
          bytes += chunk.length
          if (bytes > maximumBytes) fail(tooLong())
          else chunks.push(chunk)
        },
        onResponseEnd() {
          end()
          if (answer === undefined) fail(new Error('an answer without a status'))
          else resolve({ ...answer, body: Buffer.concat(chunks) })
        },
        onResponseError: (_started, error) => fail(error),
      },
    )
  })
}
