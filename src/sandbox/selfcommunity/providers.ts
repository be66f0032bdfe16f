/** Links between accounts and identities elsewhere. `external` is what a signup with an `ext_id` makes. */
import type { SimulatorAnswer } from '../simulator.ts'
import { html, json, noContent, notFound, Refusal, refusal, taken } from './answers.ts'
import { admin, adminOrSelf, type Call, type Route, touch, userOf } from './call.ts'
import { fieldReader, isRecord, readFields, requiredText } from './input.ts'
import { showLink } from './show.ts'
import type { CommunityUser, ProviderLink } from './state.ts'

export const providerRoutes: readonly Route[] = [
  ['GET', /^\/user\/(\d+)\/provider\/$/, (call) => listLinks(call, 'sdk')],
  ['GET', /^\/user\/provider\/$/, (call) => listLinks(call, 'docs')],
  ['POST', /^\/user\/(\d+)\/provider\/$/, addLink],
  ['DELETE', /^\/user\/(\d+)\/provider\/$/, removeLink],
]

function listLinks(call: Call, source: 'docs' | 'sdk'): SimulatorAnswer {
  if (call.state.knobs.providerListPath !== source) {
    if (source === 'sdk') throw refusal(405, 'method_not_allowed', 'Method "GET" not allowed.')
    throw new Refusal(html(404, 'Not Found'))
  }
  admin(call)
  const user = userOf(source === 'sdk' ? call : { ...call, id: Number(call.request.query.get('user_id')) })
  return json(
    200,
    user.links.map((link) => showLink(user, link)),
  )
}

function addLink(call: Call): SimulatorAnswer {
  const user = adminOrSelf(call)
  const { state } = call
  const fields = readFields(call.request)
  const provider = requiredText(fields, 'provider')
  const extId = requiredText(fields, 'ext_id')
  const reader = fieldReader(fields)
  const profileUrl = reader.text('profile_url')
  const isShown = reader.boolean('show_in_profile') ?? false
  const metadata = fields.get('metadata') ?? null
  if (metadata !== null && typeof metadata !== 'string' && !isRecord(metadata)) {
    reader.report('metadata', 'invalid', 'Not valid metadata.')
  }
  reader.finish()
  if (state.byLink(provider, extId) !== undefined) throw taken(state.knobs, 'ext_id')
  if (user.links.some((link) => link.provider === provider)) throw taken(state.knobs, 'provider')
  const isExternal = provider === 'external'
  const link: ProviderLink = {
    provider,
    ext_id: extId,
    profile_url: isExternal ? null : (profileUrl ?? null),
    metadata: isExternal ? metadata : null,
    show_in_profile: isShown,
  }
  state.link(user, link)
  if (isExternal && state.knobs.linkFillsExtId) user.ext_id ??= extId
  touch(call, user.id)
  return json(201, showLink(user, link))
}

/** What to remove is named in the body of the DELETE. */
function removeLink(call: Call): SimulatorAnswer {
  const user = adminOrSelf(call)
  const fields = readFields(call.request)
  const link = linkOf(user, requiredText(fields, 'provider'), requiredText(fields, 'ext_id'))
  if (link === undefined) throw notFound()
  call.state.unlink(user, link)
  touch(call, user.id)
  return noContent
}

function linkOf(user: CommunityUser, provider: string, extId: string): ProviderLink | undefined {
  return user.links.find((link) => link.provider === provider && link.ext_id === extId)
}
