/** What is said to everybody: the root with the version, the site, whether registration is open, who is signed in. */
import type { SimulatorAnswer } from '../simulator.ts'
import { badRequest, hal, notFound, Refusal } from './answers.ts'
import type { Call, Route } from './call.ts'
import { page, parameter, showPerson } from './hal.ts'
import { uuidPattern } from './uuid.ts'

export const siteRoutes: readonly Route[] = [
  ['GET', /^\/api\/?$/, showRoot],
  ['GET', /^\/api\/core\/sites$/, (call) => page(call, 'sites', [call.siteUuid], (uuid) => showSite(call, uuid))],
  ['GET', new RegExp(`^/api/core/sites/(${uuidPattern})$`, 'i'), readSite],
  ['GET', /^\/api\/authz\/authorizations\/search\/object$/, searchFeatures],
  ['GET', /^\/api\/config\/properties\/([\w.-]+)$/, showProperty],
  ['GET', /^\/api\/authn\/status$/, showStatus],
  [
    'GET',
    /^\/api\/authn\/login$/,
    () => {
      throw new Refusal(405, 'Only POST is allowed for login requests.')
    },
  ],
  [
    'GET',
    /^\/api\/eperson\/registrations(?:\/\d+)?$/,
    () => {
      throw new Refusal(405, "This repository doesn't provide or implement the requested method")
    },
  ],
]

function showRoot({ baseUrl, knobs }: Call): SimulatorAnswer {
  const link = (path: string) => ({ href: `${baseUrl}/api/${path}` })
  return hal(200, {
    dspaceUI: baseUrl.replace(/\/server$/, ''),
    dspaceName: 'Sandbox Repository',
    dspaceServer: baseUrl,
    dspaceVersion: knobs.dspaceVersion,
    ...(knobs.crisVersion === undefined ? {} : { crisVersion: knobs.crisVersion }),
    type: 'root',
    _links: {
      epersons: link('eperson/epersons'),
      groups: link('eperson/groups'),
      registrations: link('eperson/registrations'),
      sites: link('core/sites'),
      authn: link('authn'),
      self: { href: `${baseUrl}/api` },
    },
  })
}

function showSite(call: Call, uuid: string) {
  return {
    id: uuid,
    uuid,
    name: 'Sandbox Repository',
    handle: null,
    metadata: {},
    type: 'site',
    _links: { self: { href: siteUri(call, uuid) } },
  }
}

function siteUri(call: Call, uuid: string): string {
  return `${call.baseUrl}/api/core/sites/${uuid}`
}

function readSite(call: Call): SimulatorAnswer {
  if (call.ids[0] !== call.siteUuid) throw notFound()
  return hal(200, showSite(call, call.siteUuid))
}

/** Which features the caller has on the site; of them only `epersonRegistration` is imitated. */
function searchFeatures(call: Call): SimulatorAnswer {
  const uri = parameter(call, 'uri')
  const uuid = new RegExp(`/api/core/sites/(${uuidPattern})$`, 'i').exec(uri)?.[1]?.toLowerCase()
  if (uuid === undefined) throw badRequest('The uri is not one of an object')
  const feature = call.request.query.get('feature')
  const isAsked = feature === null || feature === 'epersonRegistration'
  const isOpen = uuid === call.siteUuid && isAsked && call.knobs.registration
  const id = `${call.caller?.uuid ?? ''}epersonRegistration_core.site_${call.siteUuid}`
  return page(call, 'authorizations', isOpen ? [id] : [], () => ({
    id,
    type: 'authorization',
    _links: { self: { href: `${call.baseUrl}/api/authz/authorizations/${id}` } },
  }))
}

/** Settings that are told to anybody (`rest.properties.exposed`); of them only one is imitated. */
function showProperty(call: Call): SimulatorAnswer {
  const [name = ''] = call.ids
  if (name !== 'registration.verification.enabled') throw notFound()
  return hal(200, {
    name,
    values: [String(call.knobs.captcha)],
    type: 'property',
    _links: { self: { href: `${call.baseUrl}/api/config/properties/${name}` } },
  })
}

function showStatus(call: Call): SimulatorAnswer {
  const { caller, baseUrl } = call
  const self = { href: `${baseUrl}/api/authn/status` }
  const embeds = call.request.query.getAll('embed').includes('eperson')
  const answer = hal(200, {
    okay: true,
    authenticated: caller !== undefined,
    authenticationMethod: caller === undefined ? null : 'password',
    type: 'status',
    _links: {
      self,
      ...(caller === undefined ? {} : { eperson: { href: `${baseUrl}/api/eperson/epersons/${caller.uuid}` } }),
    },
    ...(caller !== undefined && embeds ? { _embedded: { eperson: showPerson(call, caller) } } : {}),
  })
  return caller === undefined
    ? { ...answer, headers: { ...answer.headers, 'www-authenticate': 'password realm="DSpace REST API"' } }
    : answer
}
