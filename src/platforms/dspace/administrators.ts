/** The last administrator: a repository without one can be mended only in its database. */
import { Immutable } from '../../errors.ts'
import type { Account, AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { administrators } from './accounts.ts'
import { epersonPage, type Group } from './answers.ts'
import { findGroup, groupsPath } from './groups.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

/** Those who could log in, the person and the bridge's own account left out, are looked for in so many members. */
const membersAsked = 100

/** Throws `Immutable` when nobody but the person could administer the repository. The bridge's own account does not count. */
export async function requireAnotherAdministrator(
  session: Session,
  call: Call,
  group: Group,
  id: AccountId,
): Promise<void> {
  const query = [['size', String(membersAsked)]] as const
  const request: PlatformRequest = { method: 'GET', path: [...groupsPath, group.uuid, 'epersons'], query }
  const answer = await session.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  const people = parseAnswer(epersonPage, request, answer)._embedded?.epersons ?? []
  if (people.some(({ uuid, canLogIn }) => canLogIn && uuid !== id && uuid !== session.ownId)) return
  throw new Immutable(
    'The account is the last administrator of this DSpace; make somebody else an administrator first.',
    `account ${id} is the last administrator`,
  )
}

/** Before somebody is switched off or deleted: costs nothing unless it is an administrator. */
export async function keepAnAdministrator(session: Session, call: Call, account: Account): Promise<void> {
  const groups = account.attributes.get('groups')
  if (!Array.isArray(groups) || !groups.includes(administrators)) return
  const group = await findGroup(session, call, administrators)
  if (group !== undefined) await requireAnotherAdministrator(session, call, group, account.id)
}
