/** A parsed file becomes a `Mapping`. What the platform cannot do, or what would be dropped without a word, is reported. */
import type { DeclaredExtension } from '../extensions.ts'
import type { PlatformFacts } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import type { PathPart } from '../yaml/located.ts'
import { listed, suggestion } from '../yaml/suggest.ts'
import { checkRule, checkRules } from './check-rules.ts'
import { checkExclusiveGrants, compileGroups } from './compile-groups.ts'
import { compileLifecycle } from './compile-lifecycle.ts'
import { compileProtect } from './compile-protect.ts'
import { compileRule } from './compile-rule.ts'
import { compileTables } from './compile-tables.ts'
import type { Example, WrittenMapping } from './format.ts'
import type { GroupsPolicy, Mapping, Rule } from './mapping.ts'
import type { Qualifiers } from './paths.ts'
import { declaredNames } from './scim-names.ts'
import { factOf } from './values.ts'

/** Reports a problem at a place of the file's structure. */
export type Report = (path: readonly PathPart[], message: string) => void

/**
 * Problems go to `report`; when there was one, the result must not be used.
 * @param extensions those of the connection, where that is known.
 */
export function compileMapping(
  written: WrittenMapping,
  facts: PlatformFacts,
  report: Report,
  extensions?: readonly DeclaredExtension[],
): Mapping {
  if (written.platform !== facts.platform) report(['platform'], `is not ${facts.platform}`)
  const qualifiers: Qualifiers = {
    prefixes: compilePrefixes(written, report),
    declared: extensions && declaredNames(extensions),
  }
  const tables = compileTables(written, report)
  const rules = new Map<string, Rule>()
  for (const [attribute, writtenRule] of Object.entries(written.user.attributes)) {
    const path = ['user', 'attributes', attribute]
    const fact = factOf(facts, attribute)
    const isReadOnly = typeof writtenRule === 'object' && !Array.isArray(writtenRule) && writtenRule.write === 'never'
    if (fact === undefined || (fact.write === 'read' && !isReadOnly)) {
      report(
        path,
        `${facts.platform} has no writable attribute '${attribute}'${suggestion(attribute, writable(facts))}`,
      )
      continue
    }
    const rule = compileRule({ attribute, fact, qualifiers, tables, path, report }, writtenRule)
    if (rule === undefined) continue
    checkRule(rule, writtenRule, facts, written.user.match, (message) => report(path, message))
    rules.set(attribute, rule)
  }
  checkRules(written, rules, facts, report)
  written.examples.forEach((example, index) => {
    checkExample(example, written.groups?.as ?? 'none', (message) => report(['examples', index], message))
  })
  checkExclusiveGrants(written.groups, rules, facts, report)
  return {
    platform: facts.platform,
    describe: written.describe,
    mode: compileMode(written.user.mode, facts, report),
    match: written.user.match,
    distinct: written.user.distinct ?? [],
    lifecycle: compileLifecycle(written.user.lifecycle, facts, report),
    protect: compileProtect(written.user.protect ?? [], facts, report),
    rules,
    groups: compileGroups(written.groups ?? { as: 'none' }, facts, report),
  }
}

function writable(facts: PlatformFacts): string[] {
  const names = [...facts.attributes].filter(
    ([name, fact]) => fact.write !== 'read' && !facts.statusAttributes.includes(name),
  )
  return [...names.map(([name]) => name), ...facts.openAttributes.map(({ prefix }) => `${prefix}…`)]
}

function compilePrefixes(written: WrittenMapping, report: Report): ReadonlyMap<string, string> {
  const prefixes = new Map(Object.entries(written.prefixes ?? {}))
  for (const [name, urn] of prefixes) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(name))
      report(['prefixes', name], 'is no short name (letters, digits, _ and -)')
    if (!/^urn:[^\s"[\]]{1,255}$/i.test(urn)) report(['prefixes', name], 'is not the URN of an extension (urn:…)')
  }
  return prefixes
}

function compileMode(mode: string | undefined, facts: PlatformFacts, report: Report): string {
  const fallback = facts.modes[0] ?? 'direct'
  if (mode === undefined) return fallback
  if (facts.modes.length <= 1) report(['user', 'mode'], `${facts.platform} has no modes: drop it`)
  else if (!facts.modes.includes(mode)) report(['user', 'mode'], `no mode '${mode}'${suggestion(mode, facts.modes)}`)
  return mode
}

function checkExample(example: Example, as: GroupsPolicy['as'], report: (message: string) => void): void {
  if (example.groups !== undefined && as !== 'grants') {
    report(`groups give grants only with as: grants (here: as: ${as}): drop groups and grants`)
    return
  }
  const expectations = [example.account, example.grants, example.changes, example.read, example.error]
  if (expectations.every((one) => one === undefined)) {
    report('expects nothing: say account, grants, changes, read or error')
  }
  if (example.changes !== undefined && example.was === undefined) report('changes needs was, the earlier resource')
  if (example.was !== undefined && example.changes === undefined && example.error === undefined) {
    report('was needs changes or error')
  }
  const needsScim: readonly (JsonObject | undefined)[] = [example.was, example.changes]
  if (example.scim === undefined && needsScim.some((one) => one !== undefined)) report('changes needs scim')
  if (example.read !== undefined && example.scim === undefined && example.account === undefined) {
    report('read needs account, or scim to make one')
  }
  if (example.account !== undefined && example.scim === undefined && example.read === undefined) {
    report('account needs scim, out of which it is made, or read')
  }
  if (example.grants !== undefined && example.groups === undefined) report('grants needs groups')
  if (example.groups !== undefined && example.grants === undefined && example.error === undefined) {
    report('groups needs grants (grants: [] when they give nothing)')
  }
  if (example.error === undefined) return
  if (example.scim === undefined && example.groups === undefined) report('error needs scim or groups')
  // What is refused gives nothing to compare: the rest would pass whatever it says.
  const beside = (['account', 'grants', 'changes', 'read'] as const).filter((name) => example[name] !== undefined)
  if (beside.length > 0) report(`error stands alone: drop ${listed(beside)}`)
}
