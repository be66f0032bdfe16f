/** An administrator's look at a simulated platform, through the platform's own documented API and sign-in. */
import { SignJWT } from 'jose'
import type { DemoPlatform } from '../src/cli/demo-config.ts'
import type { BridgeWorld } from './bridge-world.ts'

export interface SeenAccount {
  readonly id: string
  /** The key that ties the account to single sign-on. */
  readonly ssoId: string | undefined
  readonly email: string
  readonly isOn: boolean
  readonly givenName: string
  readonly familyName: string
}

export interface PlatformView {
  /** Every account with this e-mail address. */
  byEmail(email: string): Promise<SeenAccount[]>
}

type Row = Record<string, unknown>
const text = (value: unknown) => (value === undefined || value === null ? '' : String(value))
const rowsOf = (value: unknown): Row[] => (Array.isArray(value) ? value : [])

async function getJson(url: string, headers: Record<string, string>): Promise<{ status: number; json: Row & Row[] }> {
  const answer = await fetch(url, { headers })
  const body = await answer.text()
  return { status: answer.status, json: body === '' ? {} : JSON.parse(body) }
}

const views: Record<DemoPlatform, (base: string, credentials: Row, now: () => number) => PlatformView> = {
  figshare: (base, credentials) => ({
    async byEmail(email) {
      const headers = { Authorization: `token ${credentials.token}` }
      const list = await getJson(
        `${base}/account/institution/accounts?email=${encodeURIComponent(email)}&page=1&page_size=10`,
        headers,
      )
      return Promise.all(
        rowsOf(list.json).map(async (row) => {
          const user = await getJson(`${base}/account/institution/users/${row.id}`, headers)
          return {
            id: text(row.id),
            ssoId: text(row.institution_user_id),
            email: text(row.email),
            isOn: row.active === 1,
            givenName: text(user.json.first_name),
            familyName: text(user.json.last_name),
          }
        }),
      )
    },
  }),
  ethosce: (base, credentials) => ({
    async byEmail(email) {
      const basic = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')
      const headers = { Authorization: `Basic ${basic}` }
      const list = await getJson(`${base}/user.json?mail=${encodeURIComponent(email)}`, headers)
      return Promise.all(
        rowsOf(list.json.list).map(async (row) => {
          const authmap = await getJson(`${base}/authmap.json?uid=${row.uid}`, headers)
          const profile = await getJson(`${base}/profile2.json?user=${row.uid}&type=profile`, headers)
          const [first] = rowsOf(profile.json.list)
          const [link] = rowsOf(authmap.json.list)
          return {
            id: text(row.uid),
            ssoId: link === undefined ? undefined : text(link.authname),
            email: text(row.mail),
            isOn: row.status === '1',
            givenName: text(first?.field_first_name),
            familyName: text(first?.field_last_name),
          }
        }),
      )
    },
  }),
  openspecimen: (base, credentials) => ({
    async byEmail(email) {
      const session = await fetch(`${base}/sessions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          loginName: credentials.user,
          password: credentials.password,
          domainName: credentials.domain,
        }),
      })
      const { token } = (await session.json()) as Row
      const list = await getJson(`${base}/users?activityStatus=all&maxResults=1000`, { 'X-OS-API-TOKEN': text(token) })
      return rowsOf(list.json)
        .filter((row) => text(row.emailAddress).toLowerCase() === email.toLowerCase())
        .map((row) => ({
          id: text(row.id),
          ssoId: text(row.loginName),
          email: text(row.emailAddress),
          isOn: row.activityStatus === 'Active',
          givenName: text(row.firstName),
          familyName: text(row.lastName),
        }))
    },
  }),
  selfcommunity: (base, credentials, now) => ({
    async byEmail(email) {
      const token = await new SignJWT({ user_id: Number(credentials.userId), token_type: 'access' })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setJti(crypto.randomUUID())
        .setIssuedAt(new Date(now()))
        .setExpirationTime(new Date(now() + 300_000))
        .sign(new TextEncoder().encode(text(credentials.jwtSecret)))
      const answer = await getJson(`${base}/api/v2/account/search/?email=${encodeURIComponent(email)}`, {
        Authorization: `Bearer ${token}`,
      })
      if (answer.status === 404) return []
      const [givenName = '', ...rest] = text(answer.json.real_name).split(' ')
      return [
        {
          id: text(answer.json.id),
          ssoId: text(answer.json.ext_id),
          email: text(answer.json.email),
          isOn: answer.json.status === 'a',
          givenName,
          familyName: rest.join(' '),
        },
      ]
    },
  }),
  dspace: (base, credentials) => ({
    async byEmail(email) {
      const csrf = await fetch(`${base}/api/security/csrf`)
      const pair = (answer: Response) => ({
        token: answer.headers.get('dspace-xsrf-token') ?? '',
        cookie: (answer.headers.getSetCookie().at(-1) ?? '').split(';', 1)[0] ?? '',
      })
      const { token, cookie } = pair(csrf)
      const login = await fetch(`${base}/api/authn/login`, {
        method: 'POST',
        headers: { 'X-XSRF-TOKEN': token, Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ user: text(credentials.user), password: text(credentials.password) }),
      })
      const headers = { Authorization: login.headers.get('authorization') ?? '' }
      const answer = await getJson(
        `${base}/api/eperson/epersons/search/byEmail?email=${encodeURIComponent(email)}`,
        headers,
      )
      if (answer.status === 204) return []
      const metadata = answer.json.metadata as Record<string, { value: string }[]>
      return [
        {
          id: text(answer.json.uuid),
          ssoId: text(answer.json.netid),
          email: text(answer.json.email),
          isOn: answer.json.canLogIn === true,
          givenName: text(metadata['eperson.firstname']?.[0]?.value),
          familyName: text(metadata['eperson.lastname']?.[0]?.value),
        },
      ]
    },
  }),
}

export function viewOf(world: Pick<BridgeWorld, 'sandbox' | 'clock'>, platform: DemoPlatform): PlatformView {
  const { baseUrl, credentials } = world.sandbox[platform]
  return viewAt(platform, baseUrl, credentials, () => world.clock.now())
}

/** The same, by nothing but an address and credentials. */
export function viewAt(
  platform: DemoPlatform,
  baseUrl: string,
  credentials: Readonly<Record<string, unknown>>,
  now: () => number = Date.now,
): PlatformView {
  return views[platform](baseUrl, credentials, now)
}
