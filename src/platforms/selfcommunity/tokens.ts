/**
 * Signed tokens. SelfCommunity takes any HS256 token signed with the community's secret and acts as the user it names, so a
 * token is made for one purpose, lives for two minutes, and never leaves this folder.
 */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose/jwt/sign'
import { Denied } from '../../errors.ts'
import { describeAnswer } from '../answer.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { Settings } from './settings.ts'

const lifeSeconds = 120
/** A token is used again for so long: half of its life remains for a clock that is ahead of ours. */
const reuseMs = 60_000

export interface Caller {
  readonly serviceUserId: number
  /** Administration and moderation. Throws `Denied` when SelfCommunity refuses the service user. */
  asService(call: Call, request: PlatformRequest): Promise<PlatformAnswer>
  /** What only the person may do ("self only"). The answer is the caller's to judge, 401 and 403 included. */
  asPerson(call: Call, userId: number, request: PlatformRequest): Promise<PlatformAnswer>
}

export function createCaller(client: Client, settings: Settings, now: () => number): Caller {
  let service: { readonly token: string; readonly madeAt: number } | undefined

  function sign(userId: number): Promise<string> {
    // NumericDate is in seconds (the vendor's sample shows milliseconds, its SDK seconds).
    const seconds = Math.floor(now() / 1000)
    return new SignJWT({ user_id: userId, token_type: 'access' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifeSeconds)
      .sign(new TextEncoder().encode(settings.jwtSecret))
  }

  async function renewed() {
    service = { token: await sign(settings.userId), madeAt: now() }
    return service
  }

  return {
    serviceUserId: settings.userId,
    async asService(call, request) {
      const known = service !== undefined && Math.abs(now() - service.madeAt) < reuseMs ? service : undefined
      const used = known ?? (await renewed())
      let answer = await client.send(call, withToken(request, used.token))
      // A token just made is refused for its secret or our clock: another one would be refused as well.
      if (answer.status === 401 && known !== undefined)
        answer = await client.send(call, withToken(request, (await renewed()).token))
      if (answer.status === 401) throw new Denied(`${describeAnswer(request, answer)}: wrong secret, user or clock`)
      if (answer.status === 403)
        throw new Denied(`${describeAnswer(request, answer)}: a right of the service user, or the plan`)
      return answer
    },
    async asPerson(call, userId, request) {
      return client.send(call, withToken(request, await sign(userId)))
    },
  }
}

function withToken(request: PlatformRequest, token: string): PlatformRequest {
  return { ...request, suffix: '/', headers: { ...request.headers, authorization: `Bearer ${token}` } }
}
