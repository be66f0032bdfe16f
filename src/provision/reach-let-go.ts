/** Users whose account an operator has let go: nothing is written for them, and no other account is taken in its place. */
import { Disputed } from '../errors.ts'
import { isActive } from '../mapping/evaluate.ts'
import type { Call } from '../platforms/platform.ts'
import type { Link } from '../store/store.ts'
import type { Situation } from './find-account.ts'

export function isLetGo(link: Pick<Link, 'unlinkedAccountId'>): boolean {
  return link.unlinkedAccountId !== undefined
}

/**
 * Resolves when nothing is left to do. A leaver's work ends when the account is read as off or gone, or belongs to somebody else by now: reading is no writing, and
 * an accepted departure does not end unseen. Everything else waits for an operator.
 */
export async function settleLetGo(call: Call, situation: Situation, isWantedOn: boolean): Promise<void> {
  const { connection, link } = situation
  const id = link.unlinkedAccountId ?? ''
  if (!isWantedOn) {
    if (await situation.isLinkedElsewhere(id)) return
    const account = await connection.platform.read(call, id)
    if (account === undefined || !isActive(connection.mapping, account.attributes)) return
  }
  const { title } = connection.facts
  throw new Disputed(
    isWantedOn
      ? `The bridge's operator has let go of this user's ${title} account; nothing is written until an operator links an account again.`
      : `The bridge's operator has let go of this user's ${title} account, and it is still on; switch it off in ${title}, or have an operator link it again.`,
    `${connection.name}: account ${id} was let go`,
  )
}
