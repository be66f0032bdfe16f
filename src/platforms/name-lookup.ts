import type { LookupFunction } from 'node:net'
import { searchName } from './name-search.ts'
import { NotConnected } from './not-connected.ts'

/**
 * Looks up the name of a platform's host. A resolver that is away is no platform that is away: the search for the cause begins
 * elsewhere, so it has a time of its own, and every failure names the name.
 */
export function lookupWithin(ms: number): LookupFunction {
  return (hostname, options, answer) => {
    const fail = (why: string) =>
      answer(new NotConnected(`the name ${hostname} could not be resolved (${why})`), options.all === true ? [] : '')
    let giveUp = () => {}
    const timer = setTimeout(() => {
      giveUp()
      fail(`no answer within ${ms} ms`)
    }, ms)
    giveUp = searchName(hostname, options, (error, addresses) => {
      clearTimeout(timer)
      const [first] = addresses
      if (error !== undefined || first === undefined) return fail(error ?? 'no address')
      if (options.all === true) return answer(null, [...addresses])
      answer(null, first.address, first.family)
    })
  }
}
