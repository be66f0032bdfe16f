/**
 * Loaded into each measured process before its own code (`--import`): answers how much CPU it has used, how much memory and
 * how many handles it has, exactly and from within. /proc counts CPU in steps of 10 ms only.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Reading {
  /** User and system, of all threads. */
  readonly cpuMs: number
  readonly rssBytes: number
  readonly heapBytes: number
  /** Open sockets, timers, files: what keeps a process alive. */
  readonly handles: number
  /** The longest time that the event loop did not turn since the watch began; 0 when nobody watches. */
  readonly blockedMs: number
}

export type Question =
  | { readonly ask: 'reading' | 'watch' | 'collect' | 'profile' }
  | { readonly ask: 'profiled'; readonly file: string }

const nothing: Reading = { cpuMs: 0, rssBytes: 0, heapBytes: 0, handles: 0, blockedMs: 0 }

let delay: ReturnType<typeof monitorEventLoopDelay> | undefined
let session: Session | undefined

function reading(): Reading {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const blockedMs = delay === undefined ? 0 : delay.max / 1e6
  delay?.disable()
  delay = undefined
  return {
    cpuMs: (user + system) / 1_000,
    rssBytes: rss,
    heapBytes: heapUsed,
    handles: process.getActiveResourcesInfo().length,
    blockedMs,
  }
}

async function answer(question: Question): Promise<Reading> {
  if (question.ask === 'watch') {
    delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    return nothing
  }
  if (question.ask === 'collect') globalThis.gc?.()
  if (question.ask === 'profile') {
    session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 200 })
    await session.post('Profiler.start')
  }
  if (question.ask === 'profiled' && session !== undefined) {
    const { profile } = await session.post('Profiler.stop')
    writeFileSync(question.file, JSON.stringify(profile))
    session.disconnect()
  }
  return reading()
}

process.on('message', (question: Question) => {
  void answer(question).then((read) => process.send?.(read))
})
// The probe must not keep a process alive that would have ended without it.
process.channel?.unref()
