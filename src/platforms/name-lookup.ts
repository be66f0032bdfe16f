import dns from 'node:dns'
import type { LookupFunction } from 'node:net'
import { NotConnected } from './not-connected.ts'

/**
 * Looks up the name of a platform's host. A resolver that is away is no platform that is away: the search for the cause begins
 * elsewhere, so it has a time of its own, and every failure names the name.
 */
export function lookupWithin(ms: number): LookupFunction {
  return (hostname, options, answer) => {
    const timer = setTimeout(() => fail(`no answer within ${ms} ms`), ms)
    let isOver = false
    const end: typeof answer = (...result) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      answer(...result)
    }
    const fail = (why: string) => end(new NotConnected(`the name ${hostname} could not be resolved (${why})`), [])
    dns.lookup(hostname, options, (error, ...found) =>
      error === null ? end(null, ...found) : fail(error.code ?? error.name),
    )
  }
}
