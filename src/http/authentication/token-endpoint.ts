/** `POST /{connection}/oauth2/token` (RFC 6749 §4.4, RFC 7523 §2.2) and `GET /{connection}/oauth2/jwks`. */
import type { Request, RequestHandler, Response } from 'express'
import { Problem } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { StoreUnavailable } from '../../store/store.ts'
import { stateOf } from '../request-state.ts'
import type { Gate } from './gate.ts'
import type { OauthDoor } from './oauth-door.ts'
import { OauthProblem } from './oauth-problem.ts'
import { NotAuthenticated } from './refusal.ts'
import { grantedRole, scopeOf } from './scope.ts'
import { readTokenRequest, type TokenRequest } from './token-request.ts'
import type { Watch } from './watch.ts'

const basicChallenge = 'Basic realm="scim-bridge", charset="UTF-8"'

export interface TokenEndpoint {
  readonly gates: ReadonlyMap<string, Gate>
  readonly watch: Watch
  readonly log: Log
  readonly addressOf: (request: Request) => string
}

export function tokenEndpoint(endpoint: TokenEndpoint): RequestHandler {
  return async (request, response) => {
    const state = stateOf(response)
    state.route = 'oauth2/token'
    response.setHeader('Pragma', 'no-cache')
    try {
      if (request.method !== 'POST') {
        throw new OauthProblem(405, 'invalid_request', 'A token is asked for with POST.', { Allow: 'POST' })
      }
      const asked = await readTokenRequest(request)
      const { door, client } = await identify(endpoint, asked, request, response)
      // After the client has proved itself: a stranger learns nothing but that it is one.
      if (asked.grantType !== 'client_credentials') {
        throw new OauthProblem(400, 'unsupported_grant_type', 'The grant is client_credentials, and no other.')
      }
      const role = grantedRole(client.role, asked.scope)
      if (role === undefined) {
        throw new OauthProblem(400, 'invalid_scope', 'This client may not have all that the scope asks for.')
      }
      const token = await door.accessTokens.issue(client, role)
      state.caller = `client:${client.id}`
      endpoint.log.info(
        { requestId: state.id, connection: state.connection, caller: state.caller, role },
        'token issued',
      )
      send(response, 200, {
        access_token: token,
        token_type: 'Bearer',
        expires_in: door.lifetimeSeconds,
        scope: scopeOf(role),
      })
    } catch (error) {
      sendProblem(response, asProblem(error, endpoint.log, state.id))
    }
  }
}

async function identify(
  { gates, watch, addressOf }: TokenEndpoint,
  asked: TokenRequest,
  request: Request,
  response: Response,
): Promise<{ door: OauthDoor; client: Awaited<ReturnType<OauthDoor['identify']>> }> {
  const { id: requestId, connection: name = '' } = stateOf(response)
  const address = addressOf(request)
  const gate = gates.get(name)
  try {
    if (gate !== undefined && !gate.isFrom(address)) throw new NotAuthenticated('address')
    const door = gate?.oauth
    if (door === undefined || asked.clientId === undefined || asked.proof === undefined) {
      throw new NotAuthenticated(asked.proof === undefined ? 'missing' : 'unknown')
    }
    return { door, client: await door.identify(asked.clientId, asked.proof, address) }
  } catch (error) {
    if (!(error instanceof NotAuthenticated)) throw error
    const seconds = watch.failed({ connection: gate?.connection, requestId, address, door: 'oauth2/token' }, error)
    if (seconds !== undefined) {
      throw new OauthProblem(429, 'temporarily_unavailable', 'Too many failed attempts; try again later.', {
        'Retry-After': String(seconds),
      })
    }
    throw new OauthProblem(401, 'invalid_client', 'The client is not known, or its proof is not right.', {
      'WWW-Authenticate': basicChallenge,
    })
  }
}

function asProblem(error: unknown, log: Log, requestId: string): OauthProblem {
  if (error instanceof OauthProblem) return error
  const retryAfter = { 'Retry-After': '30' }
  if (error instanceof StoreUnavailable) {
    log.error({ requestId, err: error }, 'a token was not issued')
    return new OauthProblem(503, 'temporarily_unavailable', "The bridge's store is not available.", retryAfter)
  }
  if (error instanceof Problem && error.status === 503) {
    return new OauthProblem(503, 'temporarily_unavailable', error.message, error.headers)
  }
  log.error({ requestId, err: error }, 'a token was not issued')
  return new OauthProblem(500, 'server_error', 'internal error')
}

function sendProblem(response: Response, problem: OauthProblem): void {
  if (response.headersSent) return
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  send(response, problem.status, { error: problem.error, error_description: problem.message })
}

function send(response: Response, status: number, body: object): void {
  response.status(status).setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(body))
}

/** RFC 7517, for whoever wants to check our tokens. */
export function keySetEndpoint(gates: ReadonlyMap<string, Gate>): RequestHandler {
  return async (request, response) => {
    const state = stateOf(response)
    state.route = 'oauth2/jwks'
    const door = gates.get(state.connection ?? '')?.oauth
    if (door === undefined) throw new Problem(404, undefined, 'There is no such endpoint.')
    if (request.method !== 'GET') {
      throw new Problem(405, undefined, `${request.method} is not offered here.`, { headers: { Allow: 'GET' } })
    }
    const keySet = await door.accessTokens.keySet()
    response.setHeader('Cache-Control', 'max-age=300')
    send(response, 200, keySet)
  }
}
