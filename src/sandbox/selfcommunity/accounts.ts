/** Reading people: `account/search/`, the public lists, one profile and `user/me/`. */
import type { SimulatorAnswer } from '../simulator.ts'
import { json, notFound, refusal } from './answers.ts'
import { admin, type Call, type Route, signedIn, userOf } from './call.ts'
import { contains, page, type SortKey, sorted } from './pages.ts'
import { showAccount, showLight, showTag, showUser, tagsOf } from './show.ts'
import type { CommunityUser } from './state.ts'

export const accountRoutes: readonly Route[] = [
  ['GET', /^\/account\/search\/$/, searchAccount],
  ['GET', /^\/user\/$/, (call) => page(call, listUsers(call, 'search'), (user) => showUser(call.state, user))],
  ['GET', /^\/user\/search\/$/, (call) => page(call, listUsers(call, 'user'), (user) => showUser(call.state, user))],
  ['GET', /^\/user\/autocomplete\/$/, (call) => page(call, listUsers(call, 'search'), showLight)],
  ['GET', /^\/user\/me\/$/, showMe],
  ['GET', /^\/user\/(\d+)\/$/, (call) => json(200, showUser(call.state, userOf(call)))],
  [
    'GET',
    /^\/user\/(\d+)\/tags\/$/,
    (call) => {
      admin(call)
      return page(call, tagsOf(call.state, userOf(call)), showTag)
    },
  ],
]

/** One object, and exactly one way to name it. */
function searchAccount(call: Call): SimulatorAnswer {
  admin(call)
  const { state, request } = call
  const username = request.query.get('username')
  const email = request.query.get('email')
  const extId = request.query.get('ext_id')
  const provider = request.query.get('provider')
  const isPair = extId !== null && provider !== null
  const ways = [username, email, isPair ? extId : null].filter((value) => value !== null)
  const isHalfPair = (extId !== null || provider !== null) && !isPair
  if (ways.length !== 1 || ways[0] === '' || isHalfPair) {
    throw refusal(400, 'invalid', 'Exactly one of username, email, ext_id with provider is required.')
  }
  const found = (): CommunityUser | undefined => {
    if (username !== null) return state.byUsername(username)
    if (email !== null) return state.byEmail(email).toSorted((one, other) => one.id - other.id)[0]
    return state.byLink(provider ?? '', extId ?? '')
  }
  const user = found()
  const isHidden = user?.status === 'u' || (user?.status === 'd' && !state.knobs.searchFindsDeleted)
  if (user === undefined || isHidden) throw notFound()
  return json(200, showAccount(state, user))
}

const userOrder = new Map<string, SortKey<CommunityUser>>([
  ['id', (user) => user.id],
  ['username', (user) => user.username],
  ['real_name', (user) => user.real_name],
  ['location', (user) => user.location],
  ['date_joined', (user) => user.joinedAt],
])

/** Who was deleted, softly or not, is in no public list. */
function listUsers({ state, request }: Call, searchName: 'search' | 'user'): CommunityUser[] {
  const { query } = request
  const search = query.get(searchName)
  const tag = query.get('tag')
  const filters = (['username', 'real_name', 'gender', 'location', 'description'] as const).flatMap((name) => {
    const wanted = query.get(name)
    return wanted === null ? [] : [(user: CommunityUser) => contains(user[name], wanted)]
  })
  const rows = [...state.users.values()].filter((user) => {
    if (user.status === 'd' || user.status === 'u') return false
    if (tag !== null && !user.tags.has(Number(tag))) return false
    // The search over both names overrides the filters by one.
    if (search !== null) return contains(user.username, search) || contains(user.real_name, search)
    return filters.every((fits) => fits(user))
  })
  return sorted(rows, query.get('ordering'), 'id', userOrder)
}

/** The only place that tells a role. */
function showMe(call: Call): SimulatorAnswer {
  const user = signedIn(call)
  const isAdmin = user.role === 'admin'
  const permission = {
    create_post: user.status === 'a',
    create_comment: user.status === 'a',
    create_private_message: user.status === 'a',
    manage_users: isAdmin,
    moderate: user.role === 'moderator' || (isAdmin && call.state.knobs.adminModerates),
  }
  return json(200, { ...showAccount(call.state, user), role: user.role, permission })
}
