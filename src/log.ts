import { type DestinationStream, type Logger, pino } from 'pino'
import { isJsonObject } from './json.ts'
import { linesToStderr } from './log-lines.ts'

export type Log = Logger

/** Names under which a secret could ever be logged by accident. Values of users are never logged: see the audit. */
const secretPaths = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'headers.authorization',
  'headers.cookie',
  'req.headers.authorization',
  'req.headers.cookie',
  'settings',
  '*.authorization',
  '*.password',
  '*.secret',
  '*.token',
]

/** What an operator has to look at: `text` of the line, and the connection that it is about (`-`: none). */
export interface AlarmCount {
  readonly connection: string
  readonly text: string
  count: number
}

const alarms = new WeakMap<Log, Map<string, AlarmCount>>()

const traces = new WeakMap<Log, { traceId?: () => string | undefined }>()

/** From now on each line says the trace that it belongs to. */
export function nameTraces(log: Log, traceId: () => string | undefined): void {
  const known = traces.get(log)
  if (known !== undefined) known.traceId = traceId
}

/** Lines with `alarm: true` since the start, in the log and its children. Texts are constants of the source. */
export function alarmsOf(log: Log): Iterable<AlarmCount> {
  return alarms.get(log)?.values() ?? []
}

function countAlarm(counts: Map<string, AlarmCount>, [line, text]: readonly unknown[]): void {
  if (!isJsonObject(line) || line.alarm !== true) return
  const connection = typeof line.connection === 'string' ? line.connection : '-'
  const key = `${connection} ${text}`
  const known = counts.get(key)
  if (known === undefined) counts.set(key, { connection, text: String(text), count: 1 })
  else known.count += 1
}

/** JSON lines on stderr: stdout belongs to commands' results. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const counts = new Map<string, AlarmCount>()
  const named: { traceId?: () => string | undefined } = {}
  const log: Log = pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      redact: { paths: secretPaths, censor: '[removed]' },
      hooks: {
        logMethod(words, write) {
          countAlarm(counts, words)
          const traceId = named.traceId?.()
          if (traceId !== undefined && isJsonObject(words[0])) words[0] = { traceId, ...words[0] }
          write.apply(this, words)
        },
      },
    },
    destination ?? linesToStderr(),
  )
  alarms.set(log, counts)
  traces.set(log, named)
  return log
}

let lastTime = { at: 0, text: '' }
/** Text of the present millisecond, made once for all lines of it. */
function isoTime(): string {
  const at = Date.now()
  if (at !== lastTime.at) lastTime = { at, text: `,"time":"${new Date(at).toISOString()}"` }
  return lastTime.text
}
