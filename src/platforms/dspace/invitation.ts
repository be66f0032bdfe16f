/** Mode `invitation`: DSpace mails a registration link, and the person makes the account. */
import { Broken, Conflict, Denied, Refused } from '../../errors.ts'
import type { Attributes, Grant } from '../../facts.ts'
import { describeAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { Flavour } from './flavour.ts'
import { readGroup } from './groups.ts'
import { type Membership, mayBeGiven, requireGroup } from './membership.ts'
import { findPeople, type Reader } from './people.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

/** The wanted e-mail and the uuids of groups: what a registration can carry. */
export async function invite(
  reader: Reader,
  membership: Membership,
  call: Call,
  flavourOf: (call: Call) => Promise<Flavour>,
  attributes: Attributes,
  give: readonly Grant[],
): Promise<void> {
  const email = attributes.get('email')
  if (typeof email !== 'string' || email === '' || [...email].length > 64)
    throw new Refused('email: DSpace needs an e-mail address of at most 64 characters.', 'email does not fit')
  // An existing account would be mailed "forgot password", or a registration that cannot be completed.
  if ((await findPeople(reader, call, 'email', email)).length > 0)
    throw new Conflict(
      'DSpace has an account with this email already; it is not invited again.',
      'invitation: email is taken',
    )
  const groupIds = give.length > 0 && (await flavourOf(call)) === 'cris' ? await idsOf(membership, call, give) : []
  await register(reader.session, call, email.toLowerCase(), groupIds)
}

/**
 * Looked up by name and read by uuid, because an administrator's unknown uuid is left out silently. A group that may not be
 * given is left out: joining it is refused, and said, when the account is there.
 */
async function idsOf(membership: Membership, call: Call, give: readonly Grant[]): Promise<string[]> {
  const ids: string[] = []
  for (const grant of give) {
    const found = await requireGroup(membership.session, call, grant)
    if (!mayBeGiven(membership, found)) continue
    if ((await readGroup(membership.session, call, found.uuid)) === undefined)
      throw new Broken(`group ${found.uuid} is found by name and not read`)
    await membership.nesting.ensure(call, found)
    ids.push(found.uuid)
  }
  return ids
}

/** `groupIds` only for CRIS: DSpace 7 and 8 refuse the property, 9 and later ignore it silently and mail all the same. */
async function register(session: Session, call: Call, email: string, groupIds: readonly string[]): Promise<void> {
  const request: PlatformRequest = {
    method: 'POST',
    path: ['api', 'eperson', 'registrations'],
    // Mandatory from DSpace 7.5 and CRIS 2023.01 on; older servers do not read it.
    query: [['accountRequestType', 'register']],
    body: { email, type: 'registration', ...(groupIds.length > 0 ? { groups: groupIds } : {}) },
  }
  const answer = await session.send(call, request)
  if (answer.status === 201) return
  const detail = describeAnswer(request, answer)
  if (answer.status === 400 || answer.status === 422)
    throw new Refused(
      'email: DSpace does not send an invitation to this address (its domain may not be allowed).',
      detail,
    )
  if (answer.status === 403)
    throw new Denied(`${detail}: registration is disabled, wants a CAPTCHA, or a group is not ours to give`, {
      isOfOne: true,
    })
  throw toError(request, answer)
}
