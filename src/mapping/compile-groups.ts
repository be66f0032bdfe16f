import type { Grant, PlatformFacts } from '../facts.ts'
import type { PathPart } from '../yaml/located.ts'
import { listed, suggestion } from '../yaml/suggest.ts'
import type { Report } from './compile.ts'
import type { WrittenMapping } from './format.ts'
import type { GroupsPolicy } from './mapping.ts'
import { hasType, typeWord, wordFor } from './values.ts'

type Written = NonNullable<WrittenMapping['groups']>

/** Keys that mean something only with one `as`: with another they would be ignored. */
const keysOf = {
  none: [],
  grants: ['match', 'grants', 'manage', 'unmatched'],
  groups: ['match', 'manage', 'adopt', 'create', 'rename', 'delete', 'protect'],
} as const

export function compileGroups(written: Written, facts: PlatformFacts, report: Report): GroupsPolicy {
  const allowed: readonly string[] = keysOf[written.as]
  for (const [key, value] of Object.entries(written)) {
    if (key === 'as' || value === undefined || allowed.includes(key)) continue
    report(['groups', key], `means nothing with as: ${written.as}: drop it`)
  }
  if (written.as === 'groups' && facts.groups === undefined) {
    report(['groups', 'as'], `${facts.platform} has no groups of its own: say as: grants or as: none`)
  }
  if (written.as === 'grants' && facts.grantForms.length === 0) {
    report(['groups', 'as'], `${facts.platform} has no grants: say as: groups or as: none`)
  }
  if (written.as === 'grants' && written.grants === undefined) {
    report(['groups'], 'as: grants needs grants, the list of { group, grant }')
  }
  written.grants?.forEach((line, index) => {
    checkGrant(line.grant, ['groups', 'grants', index, 'grant'], facts, report)
  })
  return {
    as: written.as,
    match: written.match ?? 'displayName',
    ...tableOf(written.grants ?? []),
    manage: written.manage ?? 'granted',
    unmatched: written.unmatched ?? 'ignore',
    adopt: written.adopt ?? 'by_name',
    create: written.create ?? true,
    rename: written.rename ?? 'apply',
    delete: written.delete ?? 'release',
    protect: written.protect ?? [],
  }
}

function checkGrant(grant: Grant, at: readonly PathPart[], facts: PlatformFacts, report: Report): void {
  const entries = new Map(Object.entries(grant))
  for (const [key, value] of entries) {
    const fact = facts.grantKeys.get(key)
    if (fact === undefined) {
      report([...at, key], `${facts.platform} has no grant key '${key}'${suggestion(key, facts.grantKeys.keys())}`)
    } else if (!hasType(value, fact.type)) {
      report([...at, key], `is ${wordFor(value)}, ${facts.platform} takes ${typeWord(fact.type)}`)
    }
  }
  const missing = [...facts.grantKeys].filter(([key, fact]) => fact.required && !entries.has(key)).map(([key]) => key)
  const hasForm = facts.grantForms.some((form) => form.every((key) => entries.has(key)))
  if (missing.length > 0) report(at, `a grant of ${facts.platform} needs ${listed(missing)}`)
  else if (!hasForm && facts.grantForms.length > 0) {
    report(at, `a grant of ${facts.platform} needs ${facts.grantForms.map((form) => form.join(' with ')).join(' or ')}`)
  }
}

/** Equal grants become one object, so that a set of them holds each once. */
function tableOf(lines: NonNullable<Written['grants']>): Pick<GroupsPolicy, 'grants' | 'listed'> {
  const byContent = new Map<string, Grant>()
  const grants = new Map<string, Grant[]>()
  const listedGrants = new Map<Grant, number>()
  for (const line of lines) {
    const key = JSON.stringify(Object.entries(line.grant).sort(([a], [b]) => (a < b ? -1 : 1)))
    const grant = byContent.get(key) ?? line.grant
    if (!byContent.has(key)) {
      byContent.set(key, grant)
      listedGrants.set(grant, listedGrants.size)
    }
    const ofGroup = grants.get(line.group)
    if (ofGroup === undefined) grants.set(line.group, [grant])
    else if (!ofGroup.includes(grant)) ofGroup.push(grant)
  }
  return { grants, listed: listedGrants }
}
