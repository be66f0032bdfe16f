import type { Grant, PlatformFacts } from '../facts.ts'
import type { PathPart } from '../yaml/located.ts'
import { listed, suggestion } from '../yaml/suggest.ts'
import type { Report } from './compile.ts'
import type { WrittenMapping } from './format.ts'
import { grantKey, groupNameKey } from './grants.ts'
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
  if (written.as === 'groups' && written.adopt === 'never' && written.create === false) {
    report(['groups'], 'no group can ever be used with adopt: never and create: false: drop one of them')
  }
  written.protect?.forEach((name, index) => {
    if ([...name].length <= (facts.groups?.maxNameLength ?? Number.POSITIVE_INFINITY)) return
    report(['groups', 'protect', index], `no group of ${facts.platform} has a name of ${[...name].length} characters`)
  })
  const table = tableOf(written.grants ?? [])
  return {
    as: written.as,
    match: written.match ?? 'displayName',
    ...table,
    exclusive: new Set([...table.listed.keys()].filter((grant) => isExclusive(grant, facts))),
    manage: written.manage ?? 'granted',
    unmatched: written.unmatched ?? 'ignore',
    adopt: written.adopt ?? 'by_name',
    create: written.create ?? true,
    rename: written.rename ?? 'apply',
    delete: written.delete ?? 'release',
    protect: written.protect ?? [],
  }
}

/** An account has one group, or one faculty: said by an attribute's rule and by grants, the two would undo each other. */
export function checkExclusiveGrants(
  written: Written | undefined,
  attributes: ReadonlyMap<string, unknown>,
  facts: PlatformFacts,
  report: Report,
): void {
  const attribute = facts.exclusiveGrant?.attribute
  if (attribute === undefined || !attributes.has(attribute)) return
  written?.grants?.forEach((line, index) => {
    if (!isExclusive(line.grant, facts)) return
    report(
      ['groups', 'grants', index, 'grant'],
      `moves accounts by ${attribute}, which user.attributes.${attribute} sets too: drop the rule or the grant`,
    )
  })
}

function isExclusive(grant: Grant, facts: PlatformFacts): boolean {
  const form = facts.exclusiveGrant?.form
  return (
    form !== undefined && Object.keys(grant).length === form.length && form.every((key) => Object.hasOwn(grant, key))
  )
}

function checkGrant(grant: Grant, at: readonly PathPart[], facts: PlatformFacts, report: Report): void {
  const entries = new Map(Object.entries(grant))
  for (const [key, value] of entries) {
    const fact = facts.grantKeys.get(key)
    if (fact === undefined) {
      report([...at, key], `${facts.platform} has no grant key '${key}'${suggestion(key, facts.grantKeys.keys())}`)
    } else if (!hasType(value, fact.type)) {
      report([...at, key], `is ${wordFor(value)}, ${facts.platform} takes ${typeWord(fact.type)}`)
    } else if (value === '') {
      report([...at, key], 'is empty: drop it, or say what is meant')
    } else if (fact.onlyWith !== undefined && !entries.has(fact.onlyWith)) {
      report([...at, key], `means nothing without ${fact.onlyWith}`)
    }
  }
  const missing = [...facts.grantKeys].filter(([key, fact]) => fact.required && !entries.has(key)).map(([key]) => key)
  if (missing.length > 0) report(at, `a grant of ${facts.platform} needs ${listed(missing)}`)
  else if (facts.grantForms.length > 0) checkForm(entries, at, facts, report)
}

/** `{ role, rid }` would be two grants in one, of which one would be ignored. */
function checkForm(
  entries: ReadonlyMap<string, unknown>,
  at: readonly PathPart[],
  facts: PlatformFacts,
  report: Report,
): void {
  const deciding = new Set(facts.grantForms.flat())
  const present = [...entries.keys()].filter((key) => deciding.has(key))
  const isForm = (form: readonly string[]) => form.length === present.length && form.every((key) => entries.has(key))
  if (facts.grantForms.some(isForm)) return
  const forms = facts.grantForms.map((form) => form.join(' with ')).join(' or ')
  if (present.length === 0) report(at, `a grant of ${facts.platform} needs ${forms}`)
  else report(at, `a grant of ${facts.platform} is ${forms}, not ${present.join(' with ')}`)
}

/** Equal grants become one object, so that a set of them holds each once. */
function tableOf(lines: NonNullable<Written['grants']>): Pick<GroupsPolicy, 'grants' | 'listed'> {
  const byContent = new Map<string, Grant>()
  const grants = new Map<string, Grant[]>()
  const listedGrants = new Map<Grant, number>()
  for (const line of lines) {
    const key = grantKey(line.grant)
    const grant = byContent.get(key) ?? line.grant
    if (!byContent.has(key)) {
      byContent.set(key, grant)
      listedGrants.set(grant, listedGrants.size)
    }
    const group = groupNameKey(line.group)
    const ofGroup = grants.get(group)
    if (ofGroup === undefined) grants.set(group, [grant])
    else if (!ofGroup.includes(grant)) ofGroup.push(grant)
  }
  return { grants, listed: listedGrants }
}
