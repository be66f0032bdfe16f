/** One EthosCE site: finding, reading and writing people. */
import { Absent, Broken, Fault, Refused, Unknown } from '../../errors.ts'
import type { Account, AccountId, Attributes, Grant } from '../../facts.ts'
import { remainingChanges, requireWritten } from '../difference.ts'
import { refuseUnfit } from '../fitting.ts'
import type { Call, PlatformConnection } from '../platform.ts'
import { refuseProtected } from '../protection.ts'
import { createReadAhead } from '../read-ahead.ts'
import { createSeenAccounts } from '../seen-accounts.ts'
import type { EthosceUser } from './answers.ts'
import { createPerson } from './creating.ts'
import { facts } from './facts.ts'
import type { People } from './people.ts'
import { type Person, profileOf, rolesOf, toAccount, wasCoded } from './person.ts'
import { probe } from './probe.ts'
import { createRoleNames, toGrants } from './roles.ts'
import type { EthosceSettings } from './settings.ts'
import type { Site } from './site.ts'
import { updatePerson } from './updating.ts'
import { listPeople } from './walking.ts'

export function createConnection(
  site: Site,
  people: People,
  settings: EthosceSettings,
  now: () => number,
  close: () => Promise<void>,
): PlatformConnection {
  const seen = createSeenAccounts(now)
  const names = createRoleNames(settings.roleNames)
  // The mapping's constant, as soon as it was seen: which of several single sign-on rows is meant.
  let module: string | undefined
  const learnModule = (attributes: Attributes) => {
    const value = attributes.get('module')
    if (typeof value === 'string') module = value
  }
  const readAhead = createReadAhead<Awaited<ReturnType<typeof requireUser>>>()
  /** Three calls each: a change of somebody who has just been read begins with what was read. */
  const peopleAhead = createReadAhead<Person>()
  const account = (person: Person) => toAccount(person, names, module)

  async function confirm(call: Call, uid: number, wanted: Attributes): Promise<Account> {
    const person = await people.byUid(call, uid)
    if (person === undefined) throw new Absent(`account ${uid} is gone after a write`)
    if (wasCoded(profileOf(person), wanted.get('location.province'))) {
      throw new Refused(
        'EthosCE stores provinces by their code; give location.province as the code (PA, not Pennsylvania).',
        `account ${uid}: the province was replaced by its code`,
      )
    }
    const read = account(person)
    requireWritten(facts, read, wanted)
    readAhead.keep(call, read.id, person.user)
    return read
  }

  async function requirePerson(call: Call, id: AccountId): Promise<Person> {
    const person = await people.byUid(call, toUid(id))
    if (person === undefined) throw new Absent(`account ${id} is gone`)
    return person
  }

  /** One call: roles stand in the user's own row. */
  async function requireUser(call: Call, id: AccountId): Promise<EthosceUser> {
    const uid = toUid(id)
    const row = (await people.usersWith(call, 'uid', id)).find((user) => user.uid === uid)
    if (row === undefined) throw new Absent(`account ${id} is gone`)
    return row
  }

  /** Replaces all roles and reads them; EthosCE drops a number that it does not know, silently. */
  async function putRoles(call: Call, uid: number, rids: readonly number[]): Promise<readonly number[]> {
    const done = await site.put(call, 'user', uid, { roles: rids.map((id) => ({ id })) })
    const read = rolesOf(await requireUser(call, String(uid)))
    if (done !== 'done' && !isSame(read, rids)) throw new Unknown(`PUT /user/${uid} was not confirmed`)
    return read
  }

  const creating = { site, people, profileType: settings.profileType, profileLabel: settings.profileLabel, confirm }

  return {
    async check(call) {
      site.forgive()
      await site.probe(call, 'user', [
        ['limit', '1'],
        ['full', '0'],
      ])
      // Refused without the right "administer users".
      await site.probe(call, 'user', [['mail', 'probe@invalid.example']])
      await site.probe(call, 'authmap', [['limit', '1']])
      await site.probe(call, 'profile2', [['limit', '1']])
    },

    probe: (call, named) => probe(site, call, named),

    async find(call, attribute, value, wanted) {
      learnModule(wanted)
      if (attribute === 'authname') {
        const found = await people.byAuthname(call, value)
        return found.filter((person) => person.authmaps.some((row) => row.authname === value)).map(account)
      }
      if (attribute !== 'name' && attribute !== 'mail')
        throw new Fault(`ethosce accounts cannot be found by ${attribute}`)
      const isSought = (person: Person) => person.user[attribute]?.toLowerCase() === value.toLowerCase()
      const found = await (attribute === 'name' ? people.byName(call, value) : people.byMail(call, value))
      return found.filter(isSought).map(account)
    },

    async read(call, id) {
      const person = await people.byUid(call, toUid(id))
      if (person === undefined) return undefined
      // Roles stand in the user's own row: asking for them next costs nothing.
      readAhead.keep(call, id, person.user)
      return account(peopleAhead.keep(call, id, person))
    },

    async create(call, attributes) {
      learnModule(attributes)
      refuseUnfit(facts, attributes, 'create')
      return createPerson(creating, call, attributes)
    },

    async update(call, before, changes) {
      learnModule(changes)
      const remaining = remainingChanges(facts, before.attributes, changes)
      if (remaining.size === 0) return before
      refuseProtected(facts, before)
      refuseUnfit(facts, remaining, 'change')
      const person = await peopleAhead.take(call, before.id, () => requirePerson(call, before.id))
      await updatePerson({ ...creating, ssoKeyChange: settings.ssoKeyChange, module }, call, person, remaining)
      return confirm(call, person.uid, remaining)
    },

    async remove(call, id) {
      const person = await people.byUid(call, toUid(id))
      if (person === undefined) return undefined
      refuseProtected(facts, account(person))
      // EthosCE dies on deleting a person with two profiles of one type.
      const newest = profileOf(person)
      for (const { pid } of person.profiles) {
        if (pid !== newest?.pid) await site.delete(call, 'profile2', pid)
      }
      await site.delete(call, 'user', person.uid)
      const left = await people.usersWith(call, 'uid', id)
      if (left.length > 0) throw new Broken(`DELETE /user/${id} left the account`)
      return undefined
    },

    refuseAdoption(found, wanted) {
      learnModule(wanted)
      const [authname, wantedName] = [found.attributes.get('authname'), wanted.get('authname')]
      const isOurs = found.attributes.get('module') === wanted.get('module')
      if (authname === undefined || wantedName === undefined || !isOurs || authname === wantedName) return undefined
      return 'The EthosCE account that fits this user has another single sign-on key (authname).'
    },

    list: (call, cursor) => listPeople(people, account, call, seen, cursor),

    async readGrants(call, id) {
      const user = await readAhead.take(call, id, () => requireUser(call, id))
      return toGrants(rolesOf(readAhead.keep(call, id, user)), names)
    },

    async writeGrants(call, id, give, take) {
      const given = new Set(give.map(names.ridOf))
      const taken = new Set(take.map(names.ridOf))
      const user = await readAhead.take(call, id, () => requireUser(call, id))
      const uid = toUid(id)
      const held = rolesOf(user)
      const wanted = [...new Set([...held.filter((rid) => !taken.has(rid)), ...given])]
      if (isSame(held, wanted)) return toGrants(held, names)
      refuseProtected(facts, account({ uid, user, authmaps: [], profiles: [] }))
      const read = await putRoles(call, uid, wanted)
      if (isSame(read, wanted)) return toGrants(read, names)
      await putRoles(call, uid, held)
      const lost = wanted.filter((rid) => !read.includes(rid))
      if (lost.length === 0) throw new Broken(`account ${id}: roles were not taken after the write`)
      throw unknownRoles(give, lost, names.ridOf)
    },

    close,
  }
}

function unknownRoles(give: readonly Grant[], lost: readonly number[], ridOf: (grant: Grant) => number): Refused {
  const said = give.filter((grant) => lost.includes(ridOf(grant))).map((grant) => grant.role ?? grant.rid)
  return new Refused(
    `This EthosCE site does not know these roles: ${said.join(', ')}; correct the mapping. Nothing was changed.`,
    `EthosCE dropped ${lost.length} roles of the write`,
  )
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((rid) => others.includes(rid))
}

function toUid(id: string): number {
  if (/^\d{1,10}$/.test(id)) return Number(id)
  throw new Fault('an EthosCE account id is not a number')
}
