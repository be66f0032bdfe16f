/** What a walk has found, for people. Ids and names of attributes, never a value of a person. */
import { type Finding, situations } from '../store/walk-store.ts'
import type { Ended } from './walk.ts'

export function summary({ walk, unfinished }: Ended): string {
  const counts = situations.flatMap((situation) => {
    const count = walk.counts[situation] ?? 0
    return count === 0 ? [] : [`${count} ${situation}`]
  })
  const lines = [`${walk.connection}: ${walk.accounts} accounts; ${counts.length === 0 ? 'none' : counts.join(', ')}`]
  if (walk.isShort)
    lines.push('  the platform listed far fewer accounts than before; those that are missing were read one by one')
  if (unfinished !== undefined && unfinished > 0)
    lines.push(`  ${unfinished} changes are not made yet; the bridge makes them when it runs`)
  return lines.join('\n')
}

export function rowText(finding: Finding): string {
  const { situation, accountId, resourceId, attributes, otherAccounts, otherResources, remedy, done } = finding
  const parts = [`account ${accountId}`]
  if (resourceId !== undefined) parts.push(`user ${resourceId}`)
  if (attributes.length > 0) parts.push(`differs in ${attributes.join(', ')}`)
  if (otherAccounts.length > 0) parts.push(`also account ${otherAccounts.join(', ')}`)
  if (otherResources.length > 0) parts.push(`also user ${otherResources.join(', ')}`)
  if (done !== undefined) parts.push(done)
  else if (situation === 'drifted' && remedy === undefined) parts.push('kept as it is')
  return `  ${situation.padEnd(9)}  ${parts.join('; ')}`
}
