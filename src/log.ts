import { type DestinationStream, type Logger, pino } from 'pino'

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

const flushMs = 250

/** JSON lines on stderr: stdout belongs to commands' results. */
export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      redact: { paths: secretPaths, censor: '[removed]' },
    },
    destination ?? collected(),
  )
}

let lastTime = { at: 0, text: '' }
/** Text of the present millisecond, made once for all lines of it. */
function isoTime(): string {
  const at = Date.now()
  if (at !== lastTime.at) lastTime = { at, text: `,"time":"${new Date(at).toISOString()}"` }
  return lastTime.text
}

/** Lines are written together, at the latest after a moment and at the end: one system call a line costs more than the line. */
function collected(): DestinationStream {
  const destination = pino.destination({ dest: 2, sync: false, minLength: 8_192 })
  setInterval(() => destination.flush(), flushMs).unref()
  return destination
}
