/** Log-in by password, and JWTs whose key is the server's secret and the account's session salt. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { empty, Refusal, withHeaders } from './answers.ts'
import type { DspaceKnobs } from './knobs.ts'
import type { DspaceState, EPerson } from './state.ts'

/** How far the server's clock may be behind a JWT's end. */
const skewMs = 60_000

export interface SignIn {
  /** Whose JWT it is; undefined for none, a wrong or an expired one: the call is then an anonymous one. */
  caller(request: SimulatorRequest): EPerson | undefined
  /** With user and password, or a refresh by a living JWT alone. */
  login(request: SimulatorRequest): SimulatorAnswer
  /** Kills every JWT of the caller. */
  logout(request: SimulatorRequest): void
  /** Without `jwt.login.token.secret` in the configuration a restart kills all JWTs. */
  restart(): void
}

export function createSignIn(state: DspaceState, knobs: DspaceKnobs, now: () => number): SignIn {
  let secret = randomBytes(32).toString('hex')

  const sign = (content: string, salt: string) =>
    createHmac('sha256', secret + salt)
      .update(content)
      .digest()

  const issue = (person: EPerson): string => {
    const isIdle = person.lastActive === undefined || now() - person.lastActive > knobs.jwtLifeMs
    // Within the life of a JWT the salt is kept, so that several clients are signed in side by side.
    if (isIdle || person.sessionSalt === undefined) person.sessionSalt = randomBytes(16).toString('hex')
    person.lastActive = now()
    const exp = Math.floor((now() + knobs.jwtLifeMs) / 1000)
    const claims = { eid: person.uuid, sg: [], exp, authenticationMethod: 'password' }
    const content = `${toBase64({ alg: 'HS256' })}.${toBase64(claims)}`
    return `${content}.${sign(content, person.sessionSalt).toString('base64url')}`
  }

  const caller = (request: SimulatorRequest): EPerson | undefined => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const [head = '', body = '', signature = '', ...rest] = (token ?? '').split('.')
    if (token === undefined || rest.length > 0) return undefined
    const claims = fromBase64(body)
    const eid = claims?.get('eid')
    const exp = claims?.get('exp')
    if (typeof eid !== 'string' || typeof exp !== 'number') return undefined
    const person = state.epersons.get(eid)
    if (person?.sessionSalt === undefined) return undefined
    const expected = sign(`${head}.${body}`, person.sessionSalt)
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    // canLogIn is not looked at: a living JWT outlives the account's deactivation.
    return now() > exp * 1000 + skewMs ? undefined : person
  }

  return {
    caller,
    login(request) {
      const form = new URLSearchParams(request.body)
      const user = form.get('user') ?? request.query.get('user')
      const password = form.get('password') ?? request.query.get('password')
      const person = user === null && password === null ? caller(request) : byPassword(state, user, password)
      if (person === undefined) throw new Refusal(401, 'Login failed')
      return withHeaders(empty(200), { Authorization: `Bearer ${issue(person)}` })
    },
    logout(request) {
      const person = caller(request)
      if (person !== undefined) person.sessionSalt = undefined
    },
    restart() {
      secret = randomBytes(32).toString('hex')
    },
  }
}

function byPassword(state: DspaceState, user: string | null, password: string | null): EPerson | undefined {
  const person = user === null ? undefined : state.byEmail(user.trim())
  if (person === undefined || !person.canLogIn || person.requireCertificate) return undefined
  return person.password !== undefined && person.password === password ? person : undefined
}

function toBase64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function fromBase64(part: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}
