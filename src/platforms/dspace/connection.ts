import type { Account, Attributes } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import { createOneAtATimeEach } from '../one-at-a-time.ts'
import type { Call, PlatformConnection } from '../platform.ts'
import { createSeenAccounts } from '../seen-accounts.ts'
import { administrators } from './accounts.ts'
import { groupPage } from './answers.ts'
import { createFlavour } from './flavour.ts'
import { createGroups } from './group-writes.ts'
import { invite } from './invitation.ts'
import { readGroups, toGrants, writeGroups } from './membership.ts'
import { createNesting } from './nesting.ts'
import { findPeople, listPeople, readPerson } from './people.ts'
import { probe } from './probe.ts'
import { toError } from './refusals.ts'
import { createSession, type Session } from './session.ts'
import type { Settings } from './settings.ts'
import { createPerson, removePerson, updatePerson } from './writes.ts'

/** `baseUrl` ends in `/server`; members are named to groups by their address below it. */
export function createConnection(
  client: Client,
  settings: Settings,
  baseUrl: string,
  now: () => number,
): PlatformConnection {
  const session = createSession(client, settings, now)
  const managesAdministrators = settings.roleGroups.includes(administrators)
  const reader = { session, ownEmail: settings.user, managesAdministrators }
  const flavourOf = createFlavour(session, settings, now)
  const seen = createSeenAccounts(now)
  const oneAtATime = createOneAtATimeEach()
  const nesting = createNesting(session, settings.nest, `${baseUrl}/api/eperson/groups`, oneAtATime)
  const membersUrl = `${baseUrl}/api/eperson/epersons`
  const membership = { session, membersUrl, oneAtATime, nesting, roleGroups: new Set(settings.roleGroups) }
  return {
    check: (call) => check(session, call),
    probe: (call, named) => probe(client, session, settings, call, named),
    find: (call, attribute, value) => findPeople(reader, call, attribute, value),
    read: (call, id) => readPerson(reader, call, id),
    create: (call, attributes) => createPerson(reader, call, attributes),
    update: (call, before, changes) => updatePerson(reader, call, before, changes),
    remove: (call, id) => removePerson(reader, call, id),
    refuseAdoption,
    list: (call, cursor) => listPeople(reader, call, seen, cursor),
    readGrants: async (call, id) => toGrants(await readGroups(session, call, id)),
    writeGrants: (call, id, give, take) => writeGroups(membership, call, id, give, take),
    groups: createGroups(session, nesting),
    invite: (call, attributes, give) => invite(reader, membership, call, flavourOf, attributes, give),
    close: () => client.close(),
  }
}

/** A netid is whom the sign-in system knows: another one is another person. */
function refuseAdoption(account: Account, wanted: Attributes): string | undefined {
  const has = account.attributes.get('netid')
  const wants = wanted.get('netid')
  if (has === undefined || wants === undefined || wants === null || has === wants) return undefined
  return 'it has another netid, so it belongs to another identity'
}

/** Only administrators may list groups. (`authn/status` would answer 200 to anybody, logged in or not.) */
async function check(session: Session, call: Call): Promise<void> {
  const request: PlatformRequest = { method: 'GET', path: ['api', 'eperson', 'groups'], query: [['size', '1']] }
  const answer = await session.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  parseAnswer(groupPage, request, answer)
}
