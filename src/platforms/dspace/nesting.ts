/**
 * Groups inside groups, as the settings say: `{ group: Depositors, into: COLLECTION_…_SUBMIT }`. So a SCIM Group gets the
 * rights of a role group without anybody becoming a direct member of that. A nesting made by hand stays.
 */
import { Refused } from '../../errors.ts'
import { describeAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { OneAtATimeEach } from '../one-at-a-time.ts'
import type { Call } from '../platform.ts'
import type { Group } from './answers.ts'
import { allGroups, findGroup, groupsPath } from './groups.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'
import type { Settings } from './settings.ts'

export interface Nesting {
  /** Puts the group into those that the settings name for it; looked at once in the life of a connection. */
  ensure(call: Call, group: Group): Promise<void>
}

export function createNesting(
  session: Session,
  nest: Settings['nest'],
  groupsUrl: string,
  oneAtATime: OneAtATimeEach,
): Nesting {
  const settled = new Set<string>()

  async function ensureIn(call: Call, child: Group, into: string): Promise<void> {
    const parent = await findGroup(session, call, into)
    if (parent === undefined)
      throw new Refused(
        `group: DSpace has no group ${into}, into which this one has to be nested; the bridge's operator has to correct settings.nest.`,
        'no such group to nest into',
      )
    const path = [...groupsPath, parent.uuid, 'subgroups']
    const present = (await allGroups(session, call, path)) ?? []
    if (present.some(({ uuid }) => uuid === child.uuid)) return
    const body = `${groupsUrl}/${child.uuid}`
    const request: PlatformRequest = { method: 'POST', path, body, contentType: 'text/uri-list' }
    const answer = await oneAtATime(parent.uuid, call.signal, () => session.send(call, request))
    if (answer.status === 204 || answer.status === 200) return
    if (answer.status === 422)
      throw new Refused(
        `group: DSpace does not nest this group into ${into} (a group cannot contain itself, over others either).`,
        describeAnswer(request, answer),
      )
    throw toError(request, answer)
  }

  return {
    async ensure(call, group) {
      for (const { into } of nest.filter((line) => line.group === group.name)) {
        const key = JSON.stringify([group.uuid, into])
        if (settled.has(key)) continue
        await ensureIn(call, group, into)
        settled.add(key)
      }
    },
  }
}
