/**
 * A session of the service account. OpenSpecimen locks an account after five refused sign-ins, so one refusal is
 * remembered: nothing signs in again until `forgive` is called (by `check`, that is by an operator or new credentials).
 */
import { Denied } from '../../errors.ts'
import type { AccountId } from '../../facts.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../client.ts'
import { createOneAtATime } from '../one-at-a-time.ts'
import type { Call } from '../platform.ts'
import { passwordResetRequired, session } from './answers.ts'
import type { Settings } from './settings.ts'

export interface SignedIn {
  /** Sends with the session's token; renews it once when OpenSpecimen says 401. */
  send(call: Call, request: PlatformRequest): Promise<PlatformAnswer>
  /** The service account itself; `undefined` before the first call. */
  readonly ownId: AccountId | undefined
  /** Allows one more sign-in after a refusal. */
  forgive(): void
}

export function createSignedIn(client: Client, settings: Settings): SignedIn {
  const oneAtATime = createOneAtATime()
  let token: string | undefined
  let ownId: AccountId | undefined
  let refusal: string | undefined

  function refuse(detail: string): never {
    token = undefined
    refusal = detail
    throw new Denied(detail)
  }

  async function signIn(call: Call): Promise<string> {
    const request: PlatformRequest = {
      method: 'POST',
      path: ['sessions'],
      body: { loginName: settings.user, password: settings.password, domainName: settings.domain },
      readsOnly: true,
    }
    const answer = await client.send(call, request)
    if (answer.status === 400 || answer.status === 401 || answer.status === 403)
      return refuse(`${describeAnswer(request, answer)}: the sign-in of the service account is refused`)
    if (answer.status !== 200) throw unexpectedAnswer(request, answer)
    // A new account of the built-in domain gets 200, and no token, until somebody has set its password.
    if (passwordResetRequired.safeParse(answer.json).success && !session.safeParse(answer.json).success)
      return refuse(`${describeAnswer(request, answer)}: the service account must set a new password first`)
    const signedIn = parseAnswer(session, request, answer)
    ownId = String(signedIn.id)
    token = signedIn.token
    return signedIn.token
  }

  /** A token that is not `refused`; many callers that lost the same session share one sign-in. */
  function validToken(call: Call, refused: string | undefined): Promise<string> {
    if (token !== undefined && token !== refused) return Promise.resolve(token)
    return oneAtATime(call.signal, async () => {
      if (refusal !== undefined) throw new Denied(`${refusal} (not tried again by itself)`)
      return token !== undefined && token !== refused ? token : signIn(call)
    })
  }

  return {
    async send(call, request) {
      const first = await validToken(call, undefined)
      const answer = await client.send(call, withToken(request, first))
      if (answer.status !== 401) return answer
      const second = await validToken(call, first)
      const again = await client.send(call, withToken(request, second))
      if (again.status === 401) return refuse(`${describeAnswer(request, again)} with a new session`)
      return again
    },
    get ownId() {
      return ownId
    },
    forgive() {
      refusal = undefined
    },
  }
}

function withToken(request: PlatformRequest, token: string): PlatformRequest {
  return { ...request, headers: { ...request.headers, 'X-OS-API-TOKEN': token } }
}
