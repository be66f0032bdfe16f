/** The operator's pages: rendered here, usable without a script, of one operator's connections only. */
import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express'
import type { Clock } from '../clock.ts'
import { Problem } from '../errors.ts'
import { signInFormBytes } from '../limits.ts'
import type { Log } from '../log.ts'
import type { OperatedStore } from '../operator/connection.ts'
import type { SessionKeeper } from '../store/session-store.ts'
import { StoreUnavailable } from '../store/store.ts'
import { serveAsset } from './assets.ts'
import {
  beginningOf,
  type CookiePlace,
  clearCookie,
  cookieOf,
  setBeginning,
  setCookie,
  setNotice,
  takeNotice,
} from './cookie.ts'
import type { Door, Operator } from './door.ts'
import { readForm } from './form.ts'
import { createRoutes } from './routes.ts'
import { assertOwnForm, refuseForeign, securityHeaders } from './security.ts'
import { createSessions, type Session } from './sessions.ts'
import { type Answer, type Page, refreshing, renderPage } from './view.ts'
import { type Connections, noSuchPage, type Visit } from './visit.ts'

export interface ConsoleOptions {
  readonly publicUrl: string
  readonly door: Door
  readonly connections: Connections
  readonly store: OperatedStore & SessionKeeper
  readonly clock: Clock
  readonly log: Log
  /** What has come together of requests is written down, and can be read. */
  flushRequests(): Promise<void>
  /** As in the log and in `X-Request-Id`. */
  readonly requestIdOf: (response: Response) => string
}

interface SignedIn {
  readonly operator: Operator
  readonly session: Session
  readonly cookie: string
}

export function createConsole(options: ConsoleOptions): RequestHandler {
  const { door, clock, log, requestIdOf } = options
  const { origin, pathname, protocol } = new URL(options.publicUrl)
  const base = `${pathname.replace(/\/$/, '')}/console`
  const place: CookiePlace = { path: base, isSecure: protocol === 'https:' }
  const sessions = createSessions(options.store.sessions, clock)

  function send(response: Response, page: Page, signedIn?: SignedIn): void {
    const frame = { base, operator: signedIn?.operator, formToken: signedIn?.session.formToken ?? '' }
    response
      .status(page.status ?? 200)
      .type('html')
      .send(renderPage(page, frame))
  }
  async function signedInBy(request: Request): Promise<SignedIn | undefined> {
    const cookie = cookieOf(request)
    // A page that refreshes by itself is not used by anybody.
    const isUse = !request.url.endsWith(`?${refreshing}`)
    const session = cookie === undefined ? undefined : await sessions.find(cookie, isUse)
    if (cookie === undefined || session === undefined) return undefined
    // Looked at each time: who has lost the token has lost the pages.
    const operator = await door.operatorOf(session.key)
    if (operator !== undefined) return { operator, session, cookie }
    await sessions.end(cookie)
    return undefined
  }

  async function begin(
    request: Request,
    response: Response,
    { operator, key }: { operator: Operator; key: string },
  ): Promise<void> {
    const before = cookieOf(request)
    // Never the session that the browser came with: somebody else may have put it there.
    if (before !== undefined) await sessions.end(before)
    setCookie(response, await sessions.begin(key), place)
    log.info({ requestId: requestIdOf(response), caller: operator.name }, 'an operator has signed in')
  }

  const goToProvider: RequestHandler = async (request, response) => {
    if (door.oidc === undefined) throw noSuchPage()
    const { address, cookie } = await door.oidc.begin(request)
    setBeginning(response, cookie, place)
    response.redirect(303, address)
  }
  const backFromProvider: RequestHandler = async (request, response) => {
    if (door.oidc === undefined) throw noSuchPage()
    const answer = new URL(request.originalUrl, 'http://here').searchParams
    await begin(request, response, await door.oidc.finish(request, beginningOf(request), answer, requestIdOf(response)))
    // The browser sends the new cookie only where it goes from a page of ours: a redirect would be the provider's still.
    send(response, { title: 'Signed in', template: 'signed-in', content: { goesOn: true } })
  }
  const signInPage: RequestHandler = async (request, response) => {
    if ((await signedInBy(request)) !== undefined) return response.redirect(303, base)
    send(response, await signInForm(door, undefined))
  }
  const signIn: RequestHandler = async (request, response) => {
    refuseForeign(request, origin)
    const form = await readForm(request, signInFormBytes)
    try {
      await begin(request, response, await door.signIn(request, form.get('token')?.trim() ?? '', requestIdOf(response)))
      response.redirect(303, base)
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
      send(response, { ...(await signInForm(door, error.message)), status: error.status })
    }
  }
  const signOut: RequestHandler = async (request, response) => {
    refuseForeign(request, origin)
    const signedIn = await signedInBy(request)
    if (signedIn !== undefined) {
      assertOwnForm(signedIn.session, (await readForm(request)).get('form'))
      await sessions.end(signedIn.cookie)
    }
    clearCookie(response, place)
    response.redirect(303, `${base}/sign-in`)
  }
  const serve =
    (work: (visit: Visit) => Promise<Answer>): RequestHandler =>
    async (request, response) => {
      const signedIn = await signedInBy(request)
      if (request.method === 'POST') refuseForeign(request, origin)
      if (signedIn === undefined) return response.redirect(303, `${base}/sign-in`)
      const form = request.method === 'POST' ? await readForm(request) : new Map<string, string>()
      if (request.method === 'POST') assertOwnForm(signedIn.session, form.get('form'))
      let said: string | undefined
      const answer = await work({
        operator: signedIn.operator,
        requestId: requestIdOf(response),
        query: new URL(request.originalUrl, 'http://here').searchParams,
        form,
        parameters: textsOf(request.params),
        say(text) {
          said = text
        },
      })
      if ('goTo' in answer) {
        if (said !== undefined) setNotice(response, said, signedIn.cookie, place)
        return response.redirect(303, base + answer.goTo)
      }
      const notice = said ?? takeNotice(request, response, signedIn.cookie, place)
      send(response, { ...answer, notice }, signedIn)
    }
  const lastError: ErrorRequestHandler = async (error: unknown, request, response, _next) => {
    const problem = problemOf(error)
    if (problem.status >= 500) log.error({ requestId: requestIdOf(response), err: error }, 'a page failed')
    const signedIn = await signedInBy(request).catch(() => undefined)
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
    const content = { message: problem.message, requestId: requestIdOf(response) }
    send(response, { title: 'Not done', template: 'problem', status: problem.status, content }, signedIn)
  }

  const router = Router({ strict: false })
  router.use(securityHeaders)
  router.get('/assets/:name', serveAsset)
  router.get('/sign-in', signInPage)
  router.post('/sign-in', signIn)
  router.get('/sign-in/oidc', goToProvider)
  router.get('/sign-in/oidc/callback', backFromProvider)
  router.post('/sign-out', signOut)
  for (const { method, path, work } of createRoutes(options)) router[method](path, serve(work))
  router.use(() => {
    throw noSuchPage()
  })
  router.use(lastError)
  return router
}

async function signInForm(door: Door, failure: string | undefined): Promise<Page> {
  return {
    title: 'Sign in',
    template: 'sign-in',
    content: { isOpen: await door.isOpen(), failure, provider: door.oidc?.host },
  }
}

function textsOf(parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
}

/** Our own texts are shown; of any other error nothing. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreUnavailable)
    return new Problem(503, undefined, 'The store does not answer; try again in a moment.', { cause: error })
  if (error instanceof URIError) return noSuchPage()
  return new Problem(500, undefined, 'This page could not be made; the log of the bridge has the reason.')
}
