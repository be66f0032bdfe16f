import { Conflict, Fault, Invited, PlatformError } from '../errors.ts'
import type { Grant } from '../facts.ts'
import type { Wanted } from '../mapping/mapping.ts'
import type { Call } from '../platforms/platform.ts'
import type { Situation } from './find-account.ts'
import { grantRules, wantedGrants } from './grants.ts'
import type { Reached } from './reach.ts'

const hour = 3_600_000
/** Each invitation is a mail: not more often, and not for ever. */
const repeatAfterMs = 24 * hour
const maximumInvitations = 3
/** So long after the last mail the link is taken for dead. DSpace 9 and later end it after a day, earlier ones never. */
const openMs = 30 * 24 * hour

/**
 * Nobody has an account yet: the person is invited, and everything else waits until the account is there. A person who is
 * to be off is not invited; no account is as off as can be.
 */
export async function invitePerson(call: Call, situation: Situation, wanted: Wanted): Promise<Reached> {
  const { connection, link, now } = situation
  const { platform, name } = connection
  if (platform.invite === undefined) throw new Fault(`${name}: the platform has no invitations`)
  if (!wanted.active) {
    if (isInvitationOpen(situation)) throw new Invited(`${name}: an open invitation may still become an account`)
    return { account: undefined, drift: [], isLeftOff: false, isSwitchedOn: false }
  }
  const isDue = link.invitedAt === undefined || now - Date.parse(link.invitedAt) >= repeatAfterMs
  if (isDue && link.invitations < maximumInvitations) {
    // Counted before it is sent: no look-up can tell whether a lost answer meant a mail.
    await situation.noteInvitations(link.invitations + 1, new Date(now).toISOString())
    try {
      await platform.invite(call, wanted.attributes, await promisedGrants(situation))
    } catch (error) {
      if (error instanceof PlatformError && error.rule.outcome === 'not_applied')
        await situation.noteInvitations(link.invitations, link.invitedAt)
      // Made in this very moment: the next attempt finds it.
      if (!(error instanceof Conflict)) throw error
    }
  }
  throw new Invited(`${name}: invited ${link.invitations + (isDue ? 1 : 0)} times`)
}

/** Written down as ours first: once the account is there, what the invitation gave must not look like somebody else's. */
async function promisedGrants({ connection, grants }: Situation): Promise<readonly Grant[]> {
  const promised = wantedGrants(grantRules(connection), grants.memberships)
  if (promised.length === 0) return []
  await grants.noteLedger(promised.map(({ key, grant }) => ({ key, grant, origin: 'giving' })))
  return promised.map(({ grant }) => grant)
}

export function isInvitationOpen({ link, now }: Pick<Situation, 'link' | 'now'>): boolean {
  return link.invitedAt !== undefined && now - Date.parse(link.invitedAt) < openMs
}
