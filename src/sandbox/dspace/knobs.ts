/** What differs between releases of DSpace and DSpace-CRIS, and the points that nobody could verify. */

export interface DspaceKnobs {
  /** As `GET /api` shows it. */
  dspaceVersion: string
  /** Shown by DSpace-CRIS since 2023.02 only. */
  crisVersion: string | undefined
  /** DSpace-CRIS knows `groups` in a registration, and joining by token. */
  isCris: boolean
  /** `GET /api/security/csrf`; 404 without. */
  csrfEndpoint: boolean
  /** Whether a GET without the cookie is handed a token. */
  tokenOnGet: boolean
  /** Of a POST body. Refused with 422. */
  unknownProperty: 'refused' | 'ignored'
  /** An e-mail, netid or group name that is taken. */
  duplicateStatus: 500 | 422 | 409
  /** `DELETE` of an EPerson that is not there. */
  deleteUnknownStatus: 500 | 404
  /** Removing the last member of a workflow group that has tasks. */
  lastWorkflowMemberStatus: 500 | 400
  jwtLifeMs: number
  pageCap: number
  /** 7.x answers `byEmail` to anybody. */
  isByEmailOpen: boolean
  isNotMemberOf: boolean
  /** How the subgroups of a group are called in `_embedded`. */
  subgroupsRelation: 'subgroups' | 'groups'
  /** From the begin to the end of an add of members; the same add meanwhile breaks the join table's key: 500. */
  memberAddMs: number
  /** `webui.user.assumelogin` */
  assumeLogin: boolean
  /** `user.registration` */
  registration: boolean
  /** `user.forgot-password` */
  passwordReset: boolean
  /** `registration.verification.enabled` */
  captcha: boolean
  captchaHeader: 'x-recaptcha-token' | 'x-captcha-payload'
  /** `authentication-password.domain.valid`; empty takes all. With the `@`. */
  mailDomains: readonly string[]
  /** Lost mails are a 201 all the same. */
  mails: 'sent' | 'lost'
  /** Registering an e-mail that has an account. */
  registerExisting: 'forgot' | 'register' | 400
  /** 400 when that account has canLogIn=false. */
  refusesDisabled: boolean
  /** 400 without `accountRequestType`; not read where it is not required. */
  requiresAccountRequestType: boolean
  registrationLifeMs: number
  /** findByToken shows id, registrationType, netId, registrationMetadata; `PATCH /registrations/{id}` exists. */
  registrationDetails: boolean
}

const dayMs = 24 * 3_600_000

/** DSpace-CRIS release → release of DSpace below it, newest first. Between the named ones it is inferred. */
const crisBases: readonly (readonly [cris: string, base: string])[] = [
  ['2025.02', '9.1'],
  ['2024.02', '8.0'],
  ['2023.02', '7.6.1'],
  ['2023.01', '7.5'],
  ['2022.01', '7.2'],
  ['2021.01', '7.0'],
]

/** The release's own behaviour. `flavour`: `7.0` … `10.0`, `cris-2021.01` … `cris-2025.02`; throws on anything else. */
export function knobsOf(flavour: string): DspaceKnobs {
  const parts = /^(cris-)?(\d+(?:\.\d+)+)$/.exec(flavour)
  const version = parts?.[2]
  if (version === undefined) throw new Error(`"${flavour}" is not a release of DSpace or DSpace-CRIS.`)
  const isCris = parts?.[1] !== undefined
  const base = isCris ? crisBases.find(([cris]) => isAtLeast(version, cris))?.[1] : version
  if (base === undefined || !isAtLeast(base, '7.0')) throw new Error(`"${flavour}" has no REST API of this kind.`)
  const showsCris = isCris && isAtLeast(version, '2023.02')
  return {
    dspaceVersion: isCris && !showsCris ? `DSpace ${flavour}` : `DSpace ${base}`,
    crisVersion: showsCris ? flavour : undefined,
    isCris,
    csrfEndpoint: isCris ? hasCrisCsrf(version) : isAtLeast(base, '7.6.2'),
    // The deferred token of 8.0-8.2 and 9.0-9.1; of DSpace-CRIS it is not known.
    tokenOnGet: isCris || !(isWithin(base, '8.0', '8.3') || isWithin(base, '9.0', '9.2')),
    unknownProperty: isAtLeast(base, '9.0') ? 'ignored' : 'refused',
    duplicateStatus: 500,
    deleteUnknownStatus: 500,
    lastWorkflowMemberStatus: isAtLeast(base, '10.0') ? 400 : 500,
    jwtLifeMs: 1_800_000,
    pageCap: 2_000,
    isByEmailOpen: !isAtLeast(base, '8.0'),
    isNotMemberOf: isAtLeast(base, '7.6.1'),
    subgroupsRelation: 'subgroups',
    memberAddMs: 0,
    assumeLogin: false,
    registration: true,
    passwordReset: true,
    captcha: false,
    captchaHeader: isAtLeast(base, '9.0') ? 'x-captcha-payload' : 'x-recaptcha-token',
    mailDomains: [],
    mails: 'sent',
    registerExisting: (isCris ? isWithin(version, '2023.01', '2025.02') : isWithin(base, '7.5', '7.6'))
      ? 'register'
      : 'forgot',
    refusesDisabled: !isCris && isAtLeast(base, '9.0'),
    requiresAccountRequestType: isAtLeast(base, '7.5'),
    registrationLifeMs: isAtLeast(base, '9.0') ? dayMs : Number.POSITIVE_INFINITY,
    registrationDetails: isCris ? isAtLeast(version, '2023.02') : isAtLeast(base, '9.0'),
  }
}

function hasCrisCsrf(version: string): boolean {
  return isWithin(version, '2023.02.07', '2024.01') || isAtLeast(version, '2024.02.04')
}

/** From `first` on, before `end`. */
function isWithin(version: string, first: string, end: string): boolean {
  return isAtLeast(version, first) && !isAtLeast(version, end)
}

function isAtLeast(version: string, least: string): boolean {
  const have = version.split('.').map(Number)
  const want = least.split('.').map(Number)
  for (let at = 0; at < Math.max(have.length, want.length); at += 1) {
    const difference = (have[at] ?? 0) - (want[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
