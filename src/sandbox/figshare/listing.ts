/** `GET accounts` and `POST accounts/search`: filters, two ways of paging, and their ceilings. */
import { showShort } from './accounts.ts'
import { invalid, Refusal } from './answers.ts'
import type { Caller } from './signin.ts'
import { type FigshareAccount, type FigshareState, firstAtLeast } from './state.ts'

const defaultPageSize = 10
const limits = { page: [1, 5000], page_size: [1, 1000], limit: [1, 1000], offset: [0, 5000] } as const
/** No walk by page or offset gets further. */
const ceiling = 9_000

interface Question {
  readonly email: string | undefined
  readonly userId: string | undefined
  readonly text: string | undefined
  readonly active: boolean | undefined
  readonly from: number
  readonly to: number
  readonly start: number
  readonly size: number
}

/** `fields` are query parameters as text, or the members of a search body. */
export function listAccounts(state: FigshareState, caller: Caller, fields: ReadonlyMap<string, unknown>) {
  const question = toQuestion(state, fields)
  const shown: FigshareAccount[] = []
  const { knobs } = state
  // An unstable page begins one row early, or leaves its first row out.
  const isLater = question.start > 0 || question.from > 0
  const start = question.start > 0 && knobs.pages === 'repeat' ? question.start - 1 : question.start
  const end = Math.min(start + question.size, ceiling)
  let position = 0
  for (const account of candidates(state, question)) {
    if (account.id > question.to || position >= end) break
    if (!matches(state, caller, question, account)) continue
    if (position >= start) shown.push(account)
    position += 1
  }
  const rows = isLater && knobs.pages === 'miss' && shown.length > 1 ? shown.slice(1) : shown
  return rows.map(showShort)
}

/** Ascending by id, as few as an index allows. */
function* candidates(state: FigshareState, question: Question): Iterable<FigshareAccount> {
  if (state.knobs.filters === 'exact') {
    const { userId, email } = question
    const found = userId !== undefined ? state.byUserId(userId) : email !== undefined ? state.byEmail(email) : undefined
    if (found !== undefined) {
      yield* [...found].sort((a, b) => a.id - b.id)
      return
    }
  }
  for (let at = firstAtLeast(state.ids, question.from); at < state.ids.length; at += 1) {
    const account = state.accounts.get(state.ids[at] ?? 0)
    if (account !== undefined) yield account
  }
}

function matches(state: FigshareState, caller: Caller, question: Question, account: FigshareAccount): boolean {
  if (account.id < question.from) return false
  if (state.knobs.listLagMs > 0 && state.now() - account.createdAt < state.knobs.listLagMs) return false
  if (!state.isWithin(account.group_id, caller.topGroup)) return false
  if (question.active !== undefined && question.active !== account.active) return false
  if (!fits(state, question.email, account.email)) return false
  if (!fits(state, question.userId, account.institution_user_id)) return false
  if (question.text === undefined) return true
  const everything = `${account.first_name} ${account.last_name} ${account.email} ${account.institution_user_id}`
  return everything.toLowerCase().includes(question.text.toLowerCase())
}

function fits(state: FigshareState, asked: string | undefined, value: string): boolean {
  if (asked === undefined) return true
  if (state.knobs.filters === 'exact') return asked === value
  const [left, right] = [asked.toLowerCase(), value.toLowerCase()]
  return state.knobs.filters === 'case' ? left === right : right.startsWith(left)
}

function toQuestion(state: FigshareState, fields: ReadonlyMap<string, unknown>): Question {
  const page = toPart(state, fields, 'page')
  const pageSize = toPart(state, fields, 'page_size')
  const limit = toPart(state, fields, 'limit')
  const offset = toPart(state, fields, 'offset')
  const isPaged = page !== undefined || pageSize !== undefined
  const isLimited = limit !== undefined || offset !== undefined
  if (isPaged && isLimited) throw new Refusal(422, 'ValidationFailed', 'page and limit cannot be mixed')
  const size = pageSize ?? limit ?? defaultPageSize
  const active = toInteger(state, fields, 'is_active')
  if (active !== undefined && active !== 0 && active !== 1) throw invalid(state.knobs, 'is_active is not 0 or 1')
  return {
    email: toText(state, fields, 'email'),
    userId: toText(state, fields, 'institution_user_id'),
    text: toText(state, fields, 'search_for'),
    active: active === undefined ? undefined : active === 1,
    from: toInteger(state, fields, 'id_gte') ?? 0,
    to: toInteger(state, fields, 'id_lte') ?? Number.POSITIVE_INFINITY,
    start: isPaged ? ((page ?? 1) - 1) * size : (offset ?? 0),
    size,
  }
}

function toPart(state: FigshareState, fields: ReadonlyMap<string, unknown>, name: keyof typeof limits) {
  const value = toInteger(state, fields, name)
  const [least, most] = limits[name]
  if (value === undefined || (value >= least && value <= most)) return value
  throw new Refusal(422, 'ValidationFailed', `${name} is not between ${least} and ${most}`)
}

function toInteger(state: FigshareState, fields: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = fields.get(name)
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value)
  throw invalid(state.knobs, `${name} is not an integer`)
}

function toText(state: FigshareState, fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name)
  if (value === undefined || typeof value === 'string') return value
  throw invalid(state.knobs, `${name} is not a text`)
}
