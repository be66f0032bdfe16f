/**
 * The service account's session: a CSRF pair for writes and a JWT of 30 minutes. One log-in at a time. Logging out is never
 * called: it would end every session of the service account, those of other replicas too.
 */
import { decodeJwt } from 'jose/jwt/decode'
import { Broken, Denied } from '../../errors.ts'
import type { AccountId } from '../../facts.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../client.ts'
import { createOneAtATime } from '../one-at-a-time.ts'
import type { Call } from '../platform.ts'
import { type CsrfPair, csrfHeaders, pairOf, saysWrongPair } from './csrf.ts'
import type { Settings } from './settings.ts'

/** A token is renewed when less than this is left of it. */
const renewBeforeMs = 120_000
/** DSpace's default life of a token, for one that does not say it. */
const defaultLifeMs = 1_800_000

export interface Session {
  /** Sends as the service account; renews the CSRF pair once and the log-in once when DSpace refuses them. */
  send(call: Call, request: PlatformRequest): Promise<PlatformAnswer>
  /** The service account itself, as its token says. */
  readonly ownId: AccountId | undefined
}

interface Jwt {
  readonly text: string
  readonly expiresAt: number
}

export function createSession(client: Client, settings: Settings, now: () => number): Session {
  const oneAtATime = createOneAtATime()
  let pair: CsrfPair | undefined
  let jwt: Jwt | undefined
  let ownId: AccountId | undefined

  async function sendAndLearn(call: Call, request: PlatformRequest): Promise<PlatformAnswer> {
    const answer = await client.send(call, request)
    pair = pairOf(answer) ?? pair
    return answer
  }

  async function fetchPair(call: Call): Promise<CsrfPair> {
    // Servers before 7.6.2 have no csrf endpoint; 8.0-8.2 and 9.0-9.1 give a pair nowhere else.
    for (const path of [
      ['api', 'security', 'csrf'],
      ['api', 'authn', 'status'],
    ]) {
      const request: PlatformRequest = { method: 'GET', path }
      const answer = await sendAndLearn(call, request)
      const given = pairOf(answer)
      if (given !== undefined) return given
      if (answer.status !== 404 && answer.status !== 200 && answer.status !== 204)
        throw unexpectedAnswer(request, answer)
      if (answer.isHtml && answer.status === 200)
        throw new Broken(`${describeAnswer(request, answer)}: is it the REST address?`)
    }
    throw new Broken('DSpace gives no CSRF token')
  }

  /** A write, repeated once with the new pair when DSpace does not take the old one. */
  async function sendWithPair(call: Call, request: PlatformRequest): Promise<PlatformAnswer> {
    const used = pair ?? (await fetchPair(call))
    const answer = await sendAndLearn(call, withHeaders(request, csrfHeaders(used)))
    if (!saysWrongPair(answer)) return answer
    const renewed = pairOf(answer) ?? (await fetchPair(call))
    return sendAndLearn(call, withHeaders(request, csrfHeaders(renewed)))
  }

  function keep(request: PlatformRequest, answer: PlatformAnswer): Jwt {
    const header = answer.headers.authorization
    const text = typeof header === 'string' ? /^Bearer (\S+)$/.exec(header)?.[1] : undefined
    if (text === undefined) throw new Broken(`${describeAnswer(request, answer)} without a token`)
    const claims = claimsOf(text)
    ownId = typeof claims.eid === 'string' ? claims.eid : ownId
    jwt = { text, expiresAt: claims.exp === undefined ? now() + defaultLifeMs : claims.exp * 1000 }
    return jwt
  }

  async function logIn(call: Call): Promise<Jwt> {
    jwt = undefined
    const request: PlatformRequest = {
      method: 'POST',
      path: ['api', 'authn', 'login'],
      contentType: 'application/x-www-form-urlencoded',
      body: new URLSearchParams({ user: settings.user, password: settings.password }).toString(),
      readsOnly: true,
    }
    const answer = await sendWithPair(call, request)
    if (answer.status === 401 || answer.status === 403)
      throw new Denied(`${describeAnswer(request, answer)}: the log-in of the service account is refused`)
    if (answer.status !== 200 || answer.isHtml) throw unexpectedAnswer(request, answer)
    return keep(request, answer)
  }

  /** The same call without credentials and with the living token; `undefined` when DSpace does not renew it. */
  async function refresh(call: Call, ending: Jwt): Promise<Jwt | undefined> {
    const request = withHeaders(
      { method: 'POST', path: ['api', 'authn', 'login'], readsOnly: true },
      { authorization: `Bearer ${ending.text}` },
    )
    const answer = await sendWithPair(call, request)
    return answer.status === 200 && answer.headers.authorization !== undefined ? keep(request, answer) : undefined
  }

  /** The present token when it is another than the refused one and has `leastMs` to live. */
  function living(refused: Jwt | undefined, leastMs: number): Jwt | undefined {
    return jwt !== undefined && jwt !== refused && now() < jwt.expiresAt - leastMs ? jwt : undefined
  }

  async function validJwt(call: Call, refused: Jwt | undefined): Promise<Jwt> {
    const known = living(refused, renewBeforeMs)
    if (known !== undefined) return known
    return oneAtATime(call.signal, async () => {
      const renewed = living(refused, renewBeforeMs)
      if (renewed !== undefined) return renewed
      const ending = living(refused, 0)
      return (ending === undefined ? undefined : await refresh(call, ending)) ?? logIn(call)
    })
  }

  function sendAs(call: Call, request: PlatformRequest, as: Jwt): Promise<PlatformAnswer> {
    const authorized = withHeaders(request, { authorization: `Bearer ${as.text}` })
    // Reads need no pair, and a GET without one is never refused for it.
    return request.method === 'GET' ? sendAndLearn(call, authorized) : sendWithPair(call, authorized)
  }

  return {
    async send(call, request) {
      const first = await validJwt(call, undefined)
      const answer = await sendAs(call, request, first)
      if (answer.status !== 401) return answer
      const again = await sendAs(call, request, await validJwt(call, first))
      if (again.status === 401) throw new Denied(`${describeAnswer(request, again)} with a new log-in`)
      return again
    },
    get ownId() {
      return ownId
    },
  }
}

function withHeaders(request: PlatformRequest, headers: Record<string, string>): PlatformRequest {
  return { ...request, headers: { ...request.headers, ...headers } }
}

/** Only for planning the renewal: DSpace itself checks its tokens. */
function claimsOf(text: string): { exp?: number; eid?: unknown } {
  try {
    return decodeJwt<{ eid?: unknown }>(text)
  } catch {
    return {}
  }
}
