/** `moderation/user/`, and deletion: what others do to an account. */
import type { SimulatorAnswer } from '../simulator.ts'
import { invalidField, noContent, notFound } from './answers.ts'
import { admin, type Call, moderator, type Route, touch } from './call.ts'
import { type Fields, fieldReader, readFields, toBoolean } from './input.ts'
import { contains, page, type SortKey, sorted } from './pages.ts'
import { showModerated } from './show.ts'
import { type CommunityUser, statuses } from './state.ts'
import { moderate, remove } from './status.ts'

export const moderationRoutes: readonly Route[] = [
  ['GET', /^\/moderation\/user\/$/, listModerated],
  ['PATCH', /^\/moderation\/user\/(\d+)\/$/, moderateUser],
  ['DELETE', /^\/user\/(\d+)\/$/, deleteUser],
]

const moderationOrder = new Map<string, SortKey<CommunityUser>>([
  ['date_joined', (user) => user.joinedAt],
  ['expire_at', (user) => user.blockExpiresAt],
  ['blocked_at', (user) => user.blockedAt],
])

/** The only list that knows the status; deleted people are in it. */
function listModerated(call: Call): SimulatorAnswer {
  moderator(call)
  const { query } = call.request
  const status = query.get('status')
  if (status !== null && !statuses.some((known) => known === status)) {
    throw invalidField('status', 'invalid', 'Not a valid choice.')
  }
  const search = query.get('search') ?? ''
  const days = query.get('days_blocked')
  const rows = [...call.state.users.values()].filter((user) => {
    if (status !== null && user.status !== status) return false
    if (days !== null && (user.status !== 'b' || (days === 'forever') !== (user.blockExpiresAt === null))) return false
    return contains(user.username, search) || contains(user.real_name, search) || contains(user.email, search)
  })
  const ordered = sorted(rows, query.get('order_by'), '-date_joined', moderationOrder)
  return page(call, ordered, (user) => showModerated(call.state, user))
}

function moderateUser(call: Call): SimulatorAnswer {
  moderator(call)
  const user = call.state.users.get(call.id)
  if (user === undefined) throw notFound()
  const fields = readFields(call.request)
  const reader = fieldReader(fields)
  reader.require('status')
  const status = reader.choice('status', statuses)
  const days = readDays(call, fields, reader.report)
  reader.finish()
  const isHard = toBoolean(fields.get('hard') ?? call.request.query.get('hard')) === true
  if (status === 'd' || status === 'u') remove(call.state, user, status === 'u' || isHard)
  else if (status !== undefined) moderate(call.state, user, status, days)
  touch(call, user.id)
  return noContent
}

/** In the body or in the query. Undefined: for ever. */
function readDays(
  call: Call,
  fields: Fields,
  report: (field: string, code: string, message: string) => void,
): number | undefined {
  const given = fields.get('days_blocked') ?? call.request.query.get('days_blocked')
  if (given === null || given === undefined) return undefined
  if (/^[1-9]\d{0,4}$/.test(String(given))) return Number(given)
  report('days_blocked', 'invalid', 'A valid integer is required.')
  return undefined
}

function deleteUser(call: Call): SimulatorAnswer {
  admin(call)
  const user = call.state.users.get(call.id)
  if (user === undefined) throw notFound()
  remove(call.state, user, toBoolean(call.request.query.get('hard')) === true)
  touch(call, user.id)
  return noContent
}
