/** Grants of both kinds: tags, and groups of the community where the settings say that these are used. */
import { Immutable, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import type { Call } from '../platform.ts'
import { applyGroups, heldGroups, planGroups, toGroupGrants } from './community-groups.ts'
import type { Settings } from './settings.ts'
import { readTags, toGrants, writeTags } from './tags.ts'
import type { Caller } from './tokens.ts'

export async function readGrants(
  caller: Caller,
  call: Call,
  settings: Settings,
  id: AccountId,
): Promise<readonly Grant[]> {
  const tags = toGrants(await readTags(caller, call, id))
  return settings.communityGroups ? [...tags, ...toGroupGrants(await heldGroups(caller, call, id))] : tags
}

export async function writeGrants(
  caller: Caller,
  call: Call,
  settings: Settings,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  if (id === '1' || id === String(caller.serviceUserId))
    throw new Immutable('The account is protected and cannot be given tags or groups.', `grants of account ${id}`)
  const [giveGroups, takeGroups] = [namesOf(give), namesOf(take)]
  const isTag = (grant: Grant) => grant.tag !== undefined
  const [giveTags, takeTags] = [give.filter(isTag), take.filter(isTag)]
  if (!settings.communityGroups) {
    if (giveGroups.length + takeGroups.length > 0) throw notUsed()
    return writeTags(caller, call, id, giveTags, takeTags)
  }
  const plan = await planGroups(caller, call, id, giveGroups, takeGroups)
  const tags = await writeTags(caller, call, id, giveTags, takeTags)
  return [...tags, ...toGroupGrants(await applyGroups(caller, call, id, plan))]
}

function namesOf(grants: readonly Grant[]): string[] {
  return grants.flatMap(({ group }) => (group === undefined ? [] : [String(group)]))
}

function notUsed(): Refused {
  return new Refused(
    "group: groups of the community are not set up for this connection; the bridge's operator has to say " +
      'settings.communityGroups: true.',
    'selfcommunity: settings.communityGroups is not set',
  )
}
