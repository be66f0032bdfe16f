import type { RequestHandler } from 'express'

/**
 * Several handlers as one: each gets its turn when the one before calls `next()`. Express does the same and more (paths,
 * parameters, restoring URLs) for each of its layers, which costs more than these handlers do themselves.
 */
export function inOrder(...handlers: readonly RequestHandler[]): RequestHandler {
  return (request, response, done) => {
    const turn = (index: number): unknown => {
      const handler = handlers[index]
      if (handler === undefined) return done()
      return handler(request, response, (error?: unknown) => {
        if (error !== undefined && error !== null) return done(error)
        const result = turn(index + 1)
        if (result instanceof Promise) result.catch(done)
      })
    }
    return turn(0)
  }
}
