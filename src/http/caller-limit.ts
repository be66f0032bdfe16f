import type { RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import { concurrentRequests } from '../limits.ts'
import { stateOf } from './request-state.ts'

/** Bounds the requests of one connection that are in work at once: one caller never takes all of the process. */
export function callerLimit(limit = concurrentRequests): RequestHandler {
  const inWork = new Map<string, number>()
  return (_request, response, next) => {
    const name = stateOf(response).connection ?? ''
    const count = inWork.get(name) ?? 0
    if (count >= limit) {
      throw new Problem(429, undefined, 'Too many requests of this connection are in work; try again.', {
        headers: { 'Retry-After': '5' },
      })
    }
    inWork.set(name, count + 1)
    response.once('close', () => {
      const left = (inWork.get(name) ?? 1) - 1
      if (left === 0) inWork.delete(name)
      else inWork.set(name, left)
    })
    next()
  }
}
