import type { RecordedCall } from './simulator.ts'

/** Bytes of bodies that are kept: a reconcile of 100,000 accounts must not fill the memory. */
const maxRecordedBytes = 64 * 1024 * 1024

/** A call whose answer is filled in when it is given. */
export type OpenCall = { -readonly [Key in keyof RecordedCall]: RecordedCall[Key] }

export interface Recorder {
  /** Oldest first. */
  readonly calls: readonly RecordedCall[]
  begin(call: OpenCall): void
  answered(call: OpenCall, status: number, headers: Readonly<Record<string, string>>, body: string): void
  forget(): void
}

/** Keeps the last calls, bounded in number and in bytes. */
export function createRecorder(maxCalls: number): Recorder {
  const calls: OpenCall[] = []
  let bytes = 0
  const sizeOf = (call: OpenCall) => call.requestBody.length + call.responseBody.length
  const trim = () => {
    while (calls.length > maxCalls || (bytes > maxRecordedBytes && calls.length > 0)) {
      const oldest = calls.shift()
      if (oldest !== undefined) bytes -= sizeOf(oldest)
    }
  }
  return {
    calls,
    begin(call) {
      calls.push(call)
      bytes += sizeOf(call)
      trim()
    },
    answered(call, status, headers, body) {
      const isKept = calls.includes(call)
      if (isKept) bytes -= sizeOf(call)
      call.status = status
      call.responseHeaders = headers
      call.responseBody = body
      if (isKept) bytes += sizeOf(call)
      trim()
    },
    forget() {
      calls.length = 0
      bytes = 0
    },
  }
}
