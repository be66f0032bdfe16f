/** One Figshare portal: finding, reading and writing institutional accounts. */

import type { Clock } from '../../clock.ts'
import { Absent, Broken, Denied, Fault, Refused, Unknown } from '../../errors.ts'
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../client.ts'
import { remainingChanges, requireWritten } from '../difference.ts'
import { refuseUnfit } from '../fitting.ts'
import type { Call, Changes, PlatformConnection } from '../platform.ts'
import { refuseProtected } from '../protection.ts'
import { created, type FigshareAccount, withAccount, withProfile } from './answers.ts'
import * as api from './api.ts'
import { type Granting, readGrants, writeGrants } from './association.ts'
import { facts } from './facts.ts'
import { probe } from './probe.ts'
import { saysBadValue, saysTaken, taken, toError } from './refusals.ts'
import { createSearching } from './searching.ts'
import type { FigshareSettings } from './settings.ts'

/** Accounts of one page of a walk: each costs two calls more, at about a second each. */
const walkRows = 10

export function createConnection(client: Client, settings: FigshareSettings, clock: Clock): PlatformConnection {
  let own: { readonly token: string; readonly id: AccountId } | undefined
  const searching = createSearching(client, settings, clock)

  async function whole(call: Call, raw: FigshareAccount): Promise<Account> {
    const id = String(raw.id)
    const ownId = await knownOwnId(call)
    const profile = await api.readUser(client, call, id)
    const names = { first_name: raw.first_name, last_name: raw.last_name }
    const attributes = withProfile(withAccount(new Map(), raw), profile ?? names)
    if (id !== ownId) return { id, attributes }
    return { id, attributes, protectedBecause: "the bridge's own account on Figshare" }
  }

  async function read(call: Call, id: AccountId): Promise<Account | undefined> {
    const raw = await readRaw(call, id)
    return raw === undefined ? undefined : whole(call, raw)
  }

  /** `undefined` when its absence is proved: a 404 alone may also mean that the token may not read it. */
  async function readRaw(call: Call, id: AccountId): Promise<FigshareAccount | undefined> {
    const number = toNumber(id)
    const raw = await api.readAccount(client, call, id)
    if (raw !== undefined) {
      if (String(raw.id) !== id) throw new Broken(`account ${id} was asked, account ${raw.id} was answered`)
      return raw
    }
    const rows = await api.listAccounts(client, call, number, 1, [{ name: 'id_lte', value: id }])
    if (rows.some((row) => row.id === number))
      throw new Denied(`account ${id} is listed but may not be read`, { isOfOne: true })
    // An empty list proves something only to a token that still works.
    await askOwnId(call)
    return undefined
  }

  /** Whether Figshare's refusal of a create comes from a value that another account has. */
  async function isTaken(call: Call, answer: PlatformAnswer, attributes: Attributes): Promise<boolean> {
    if (saysTaken(answer)) return true
    for (const name of ['institution_user_id', 'email']) {
      const value = attributes.get(name)
      if (typeof value === 'string' && (await searching.listed(call, name, value)).length > 0) return true
    }
    return false
  }

  async function post(call: Call, attributes: Attributes): Promise<AccountId> {
    const [request, sent] = api.postAccount(client, call, createBody(attributes, settings.defaultGroupId))
    const answer = await sent.catch((error: unknown) => {
      if (error instanceof Unknown) searching.noteLost(attributes)
      throw error
    })
    if (answer.status === 201 || answer.status === 200) return idOfCreated(call, request, answer, attributes)
    if (saysBadValue(answer) && (await isTaken(call, answer, attributes))) throw taken(request, answer)
    throw toError(request, answer)
  }

  /** Older servers answer 201 without a body: then the key that we have just sent leads to the account. */
  async function idOfCreated(
    call: Call,
    request: PlatformRequest,
    answer: PlatformAnswer,
    attributes: Attributes,
  ): Promise<AccountId> {
    const parsed = created.safeParse(answer.json)
    if (parsed.success && !answer.isHtml) return String(parsed.data.account_id)
    searching.noteLost(attributes)
    const [row, ...others] = await searching.listed(
      call,
      'institution_user_id',
      String(attributes.get('institution_user_id')),
    )
    if (row !== undefined && others.length === 0) return String(row.id)
    throw new Broken(`${request.method} /${request.path.join('/')} answered ${answer.status} without an account id`)
  }

  async function writeProfile(
    call: Call,
    before: Account,
    profile: Readonly<Record<string, string>>,
  ): Promise<Account> {
    await api.putProfile(client, call, profileOwner(before), profile)
    const user = await api.readUser(client, call, before.id)
    if (user === undefined) throw new Unknown(`the profile of account ${before.id} cannot be read after its write`)
    if (settings.profilePropagates) await requirePropagated(call, before.id, profile)
    return { ...before, attributes: withProfile(before.attributes, user) }
  }

  async function requirePropagated(
    call: Call,
    id: AccountId,
    profile: Readonly<Record<string, string>>,
  ): Promise<void> {
    const raw = await api.readAccount(client, call, id)
    const isSame =
      raw !== undefined &&
      (profile.first_name ?? raw.first_name) === raw.first_name &&
      (profile.last_name ?? raw.last_name) === raw.last_name
    if (!isSame) throw new Broken(`account ${id}: the names of the profile did not reach the account`)
  }

  async function writeState(call: Call, before: Account, changes: Changes): Promise<Account> {
    const state = { group_id: before.attributes.get('group_id'), is_active: before.attributes.get('is_active') }
    const group_id = changes.get('group_id') ?? state.group_id
    const is_active = changes.get('is_active') ?? state.is_active
    if (typeof group_id !== 'number' || typeof is_active !== 'boolean') {
      throw new Broken(`account ${before.id} was read without group or state; writing it would move or switch it`)
    }
    const done = await api.putAccount(client, call, before.id, { group_id, is_active })
    const raw = await readRaw(call, before.id)
    if (raw === undefined) throw new Absent(`account ${before.id} is gone`)
    if (done === 'absent') throw new Denied(`account ${before.id} can be read but not written`, { isOfOne: true })
    return { ...before, attributes: withAccount(before.attributes, raw) }
  }

  /** A token that was replaced while we run may be that of another account. */
  async function knownOwnId(call: Call): Promise<AccountId> {
    return own !== undefined && own.token === settings.token ? own.id : askOwnId(call)
  }

  async function askOwnId(call: Call): Promise<AccountId> {
    const { token } = settings
    own = { token, id: await api.readOwnId(client, call) }
    return own.id
  }

  const granting: Granting = { client, settings, readRaw, ownId: knownOwnId }

  return {
    async check(call) {
      await askOwnId(call)
      await api.checkInstitution(client, call)
    },

    probe: (call, named) => probe(client, settings, call, named),

    find: (call, attribute, value) => searching.found(call, attribute, value, (id) => read(call, id)),

    read,

    async create(call, attributes) {
      refuseUnfit(facts, attributes, 'create')
      refuseLongName(attributes)
      if (!attributes.has('institution_user_id')) {
        // Figshare would mail the person and make a password account that can never become a single sign-on account.
        throw new Refused(
          'Figshare accounts need an institution_user_id, by which people log in; give the user a value for it.',
          'figshare: create without institution_user_id',
        )
      }
      const id = await post(call, attributes)
      searching.noteMade(attributes, id)
      await call.created(id)
      const raw = await readRaw(call, id)
      if (raw === undefined) throw new Unknown(`account ${id} cannot be read after it was created`)
      const profile = profileOf(attributes, ['job_title', 'orcid'])
      if (Object.keys(profile).length > 0) {
        const owner = profileOwner({ id, attributes: withAccount(new Map(), raw) })
        await api.putProfile(client, call, owner, profile)
      }
      const account = await whole(call, raw)
      requireWritten(facts, account, attributes)
      return account
    },

    async update(call, before, changes) {
      const remaining = remainingChanges(facts, before.attributes, changes)
      if (remaining.size === 0) return before
      refuseProtected(facts, before)
      refuseUnfit(facts, remaining, 'change')
      refuseLongName(new Map([...before.attributes, ...remaining]))
      let account = before
      // First, and in the group as it is: a leaver must be off even when the new group or the profile is refused or goes wrong.
      const isLeaving = remaining.get('is_active') === false
      if (isLeaving) account = await writeState(call, account, new Map([['is_active', false]]))
      if (remaining.has('group_id') || (remaining.has('is_active') && !isLeaving))
        account = await writeState(call, account, remaining)
      const profile = profileOf(remaining, ['first_name', 'last_name', 'job_title', 'orcid'])
      if (Object.keys(profile).length > 0) account = await writeProfile(call, account, profile)
      requireWritten(facts, account, remaining)
      return account
    },

    refuseAdoption(account, wanted) {
      const key = account.attributes.get('institution_user_id')
      const wantedKey = wanted.get('institution_user_id')
      if (key === wantedKey || wantedKey === undefined) return undefined
      if (key !== undefined) return 'The Figshare account that fits this user has another institution_user_id.'
      if (settings.adoptWithoutSsoKey) return undefined
      return (
        'The Figshare account that fits this user has no institution_user_id, and no API can add one; ' +
        'ask Figshare support, or add it through the HR feed.'
      )
    },

    async list(call, cursor) {
      const seenId = cursor === undefined ? 0 : toNumber(cursor)
      // Begins with the last one seen: later pages have been seen to miss their first row, or to repeat some.
      const rows = await api.listAccounts(client, call, seenId, walkRows + 1)
      const ids = [...new Set(rows.map((row) => row.id))].filter((id) => id > seenId).sort((one, two) => one - two)
      if (rows.some((row) => row.id < seenId)) throw new Broken('a walk over the accounts goes back: id_gte is ignored')
      const accounts: Account[] = []
      for (const id of ids) {
        const account = await read(call, String(id))
        if (account !== undefined) accounts.push(account)
      }
      return { accounts, next: ids.at(-1)?.toString() }
    },

    readGrants: (call, id) => readGrants(granting, call, id),
    writeGrants: (call, id, give, take) => writeGrants(granting, call, id, give, take),

    close: () => client.close(),
  }
}

/** Without a group Figshare takes the top one, and some portals refuse. */
function createBody(attributes: Attributes, defaultGroupId: number | undefined): Record<string, Json> {
  const body: Record<string, Json> = defaultGroupId === undefined ? {} : { group_id: defaultGroupId }
  const names = ['email', 'last_name', 'first_name', 'group_id', 'institution_user_id', 'symplectic_user_id', 'quota']
  for (const name of names) {
    const value = attributes.get(name)
    if (value !== undefined && value !== null) body[name] = value
  }
  return { ...body, is_active: attributes.get('is_active') ?? true }
}

function profileOf(attributes: Attributes, names: readonly string[]): Record<string, string> {
  const profile: Record<string, string> = {}
  for (const name of names) {
    const value = attributes.get(name)
    if (typeof value === 'string') profile[name] = value
  }
  return profile
}

function profileOwner(account: Account): api.AccountFilter {
  for (const name of ['user_id', 'institution_user_id']) {
    const value = account.attributes.get(name)
    if (typeof value === 'number' || typeof value === 'string') return { name, value: String(value) }
  }
  throw new Broken(`account ${account.id} has neither user_id nor institution_user_id`)
}

/** Figshare takes 255 characters for both names together. */
function refuseLongName(attributes: Attributes): void {
  const length = [...`${attributes.get('first_name') ?? ''}${attributes.get('last_name') ?? ''}`].length
  if (length <= 255) return
  throw new Refused(
    `Figshare: first_name and last_name have ${length} characters together, Figshare takes 255.`,
    'figshare: names too long',
  )
}

function toNumber(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw new Fault('a Figshare account id is not a number')
}
