import type * as http from 'node:http'
import type { Express } from 'express'
import { IncomingMessage, ServerResponse } from '../node-http.ts'

/**
 * What the server makes its requests and answers of. Express gives each another prototype when it arrives, and the engine has to
 * learn every one's shape anew; those that are born with it stay as they are.
 */
export function messageClasses(app: Express): {
  readonly IncomingMessage: typeof IncomingMessage
  readonly ServerResponse: typeof ServerResponse
} {
  class Request extends IncomingMessage {}
  class Response<Of extends http.IncomingMessage> extends ServerResponse<Of> {}
  Object.setPrototypeOf(Request.prototype, app.request)
  Object.setPrototypeOf(Response.prototype, app.response)
  Object.assign(app, { request: Request.prototype, response: Response.prototype })
  return { IncomingMessage: Request, ServerResponse: Response }
}
