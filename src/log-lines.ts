/**
 * Log lines on their way to stderr. They are written together, at the latest after a moment and at the end: one system call a line
 * costs more than the line. Whatever becomes of stderr, a full disk or a reader that is gone, the bridge goes on.
 */
import { write, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

const flushMs = 250
/** Characters that are not kept waiting for others. */
const together = 8_192
/** Characters that wait while nothing can be written, some thousand lines; what comes then is lost. */
export const mostWaiting = 1_048_576
/** At the end, a reader that is slow is waited for. */
const lastPauseMs = 50
const lastPauses = 20

/** `node:fs`, for one file. */
export interface LineSink {
  write(bytes: Buffer, done: (error: Error | null, written: number) => void): void
  /** Throws. */
  writeSync(bytes: Buffer): number
}

export interface LineWriter extends DestinationStream {
  /** What waits goes out, or is tried again. */
  flush(): void
  /** The process ends: what waits goes out now, as far as that can be done. */
  end(): void
}

export function createLineWriter({ write, writeSync }: LineSink, now: () => number): LineWriter {
  let waiting = ''
  /** The rest of what was begun: a line that is half out is finished before any other. */
  let begun: Buffer = Buffer.alloc(0)
  let isWriting = false
  let lost = 0

  function next(): Buffer {
    if (begun.length > 0) return begun
    if (lost > 0 && waiting.length < mostWaiting) {
      waiting += lineOf(lost, now())
      lost = 0
    }
    begun = Buffer.from(waiting)
    waiting = ''
    return begun
  }
  function flush(): void {
    if (isWriting || next().length === 0) return
    isWriting = true
    write(begun, (error, written) => {
      isWriting = false
      // It stays, and is tried again with the next flush.
      if (error !== null) return
      begun = begun.subarray(written)
      if (begun.length > 0 || waiting.length >= together) flush()
    })
  }

  return {
    write(line) {
      if (waiting.length + line.length > mostWaiting) lost += 1
      else waiting += line
      if (waiting.length >= together) flush()
    },
    flush,
    end() {
      // What is being written is out of our hands.
      if (isWriting) begun = Buffer.alloc(0)
      for (let pauses = 0; next().length > 0; ) {
        try {
          begun = begun.subarray(writeSync(begun))
        } catch (error) {
          const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN'
          if (!isFull || pauses >= lastPauses) return
          pauses += 1
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastPauseMs)
        }
      }
    },
  }
}

function lineOf(lost: number, at: number): string {
  return `{"level":40,"time":"${new Date(at).toISOString()}","lines":${lost},"msg":"log lines were lost: they could not be written"}\n`
}

let stderr: LineWriter | undefined

/** One for all logs of the process. */
export function linesToStderr(): LineWriter {
  if (stderr !== undefined) return stderr
  const sink = { write: (bytes: Buffer, done: Parameters<LineSink['write']>[1]) => write(2, bytes, done) }
  const writer = createLineWriter({ ...sink, writeSync: (bytes) => writeSync(2, bytes) }, Date.now)
  setInterval(writer.flush, flushMs).unref()
  process.on('exit', writer.end)
  stderr = writer
  return writer
}
