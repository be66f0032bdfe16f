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

/** JSON lines on stderr: stdout belongs to commands' results. */
export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretPaths, censor: '[removed]' },
    },
    // Lines are collected and written by turns; `exit` writes the rest.
    destination ?? pino.destination({ dest: 2, sync: false }),
  )
}
