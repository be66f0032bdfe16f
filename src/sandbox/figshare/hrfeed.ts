/** The HR feed: an XML upload that is accepted at once, locked for a day and done later; absent people stay as they are. */
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { invalid, json, Refusal } from './answers.ts'
import { type FigshareState, topGroupId } from './state.ts'

export interface HrFeed {
  upload(request: SimulatorRequest): SimulatorAnswer
  /** Does the feeds whose time has come. */
  run(): void
}

export function createHrFeed(state: FigshareState): HrFeed {
  let waiting: { readonly xml: string; readonly dueAt: number } | undefined
  let lockedUntil = Number.NEGATIVE_INFINITY
  return {
    upload(request) {
      if (!state.knobs.hrFeed) throw new Refusal(403, 'Forbidden', 'The feed is not enabled for this portal')
      const xml = filePart(request)
      if (xml === undefined) throw invalid(state.knobs, 'The file field hrfeed is missing')
      if (waiting !== undefined || state.now() < lockedUntil) {
        const message = 'Previous feed import not complete.'
        return json(state.knobs.hrFeedBusyStatus, { message, data: null, errcode: 'FigshareAPIException' })
      }
      waiting = { xml, dueAt: state.now() + state.knobs.hrFeedDelayMs }
      lockedUntil = state.now() + state.knobs.hrFeedLockMs
      return json(200, { message: 'OK', code: '200' })
    },
    run() {
      if (waiting === undefined || state.now() < waiting.dueAt) return
      const { xml } = waiting
      waiting = undefined
      for (const record of xml.matchAll(/<Record>([\s\S]*?)<\/Record>/g))
        importRecord(state, toElements(record[1] ?? ''))
    },
  }
}

/** The content of the multipart file field `hrfeed`. */
function filePart(request: SimulatorRequest): string | undefined {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(request.headers['content-type'] ?? '')?.[1]
  if (boundary === undefined) return undefined
  for (const part of request.body.split(`--${boundary}`)) {
    const end = part.indexOf('\r\n\r\n')
    const head = part.slice(0, end)
    if (end > 0 && /name="hrfeed"/i.test(head) && /filename=/i.test(head))
      return part.slice(end + 4).replace(/\r\n$/, '')
  }
  return undefined
}

function toElements(record: string): Map<string, string> {
  const elements = new Map<string, string>()
  for (const [, name, text] of record.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    if (name !== undefined && text !== undefined) elements.set(name, fromEntities(text))
  }
  return elements
}

function fromEntities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}

function importRecord(state: FigshareState, elements: ReadonlyMap<string, string>): void {
  const names = state.knobs.hrFeedNames
  const key = elements.get(names.uniqueId)
  if (key === undefined || key === '') return
  const email = elements.get(names.email)
  const lastName = elements.get(names.lastName)
  const [known] = state.byUserId(key)
  if (known === undefined && (email === undefined || lastName === undefined)) return
  const account = known ?? state.add({ email: email ?? '', last_name: lastName ?? '', institution_user_id: key })
  if (email !== undefined && email !== account.email) state.setEmail(account, email)
  const firstName = elements.get(names.firstName)
  account.first_name = firstName ?? account.first_name
  account.last_name = lastName ?? account.last_name
  account.profile.first_name = account.first_name
  account.profile.last_name = account.last_name
  account.profile.job_title = elements.get(names.title) ?? account.profile.job_title
  account.profile.orcid = elements.get(names.orcid) ?? account.profile.orcid
  account.symplectic_user_id = elements.get(names.symplecticId) ?? account.symplectic_user_id
  account.group_id = groupOf(state, elements.get(names.criteria)) ?? account.group_id
  const quota = elements.get(names.quota)
  // The quota of somebody known is left alone unless the feed insists.
  const isForced = elements.get(names.forceQuota)?.toUpperCase() === 'Y'
  if (quota !== undefined && (known === undefined || isForced)) account.quota = Number(quota) || 0
  const isActive = elements.get(names.isActive)?.toUpperCase()
  if (isActive === 'Y') account.active = true
  if (isActive === 'N') {
    account.active = false
    account.quota = account.used_quota
  }
  account.modifiedAt = state.now()
}

/** Empty means the top level; an unknown text leaves the group alone. */
function groupOf(state: FigshareState, criteria: string | undefined): number | undefined {
  if (criteria === undefined) return undefined
  if (criteria === '') return topGroupId
  return [...state.groups.values()].find((group) => group.association_criteria === criteria)?.id
}
