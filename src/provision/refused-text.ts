/** What a group request has come to where the platform did not give or take what it asked for. */

const namedIds = 5

export interface RefusedMembers {
  /** Their membership is as it was before the request. */
  readonly takenBack: readonly string[]
  /** They are members as asked, and what the group gives them now could not be changed. */
  readonly kept: readonly string[]
  /** The group was deleted, and what it gave these could not be taken. */
  readonly left: readonly string[]
  readonly reason: string
}

export function refusedText({ takenBack, kept, left, reason }: RefusedMembers): string {
  const parts = [
    [takenBack, (ids: string) => `members: not changed for ${ids}`],
    [
      kept,
      (ids: string) =>
        `the group is as asked, but what it gives was not changed for its members ${ids} (pushing them again, or the ` +
        "bridge's operator, makes another attempt)",
    ],
    [left, (ids: string) => `the group is deleted, but what it gave was not taken from ${ids}; that is tried again`],
  ] as const
  const said = parts.flatMap(([ids, say]) => (ids.length === 0 ? [] : [say(listed(ids))]))
  return `${said.join('; ')}: ${reason}`
}

function listed(ids: readonly string[]): string {
  const named = ids.slice(0, namedIds).join(', ')
  return ids.length > namedIds ? `${named} and ${ids.length - namedIds} more` : named
}
