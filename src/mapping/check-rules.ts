/** Combinations that the platform cannot do, or that would lose something without a word. Each message names the choice to make. */
import type { PlatformFacts } from '../facts.ts'
import { listed } from '../yaml/suggest.ts'
import { rules as mostRules } from './bounds.ts'
import { checkValues } from './check-values.ts'
import type { Report } from './compile.ts'
import { type AnyWrittenRule, longRule } from './compile-rule.ts'
import type { WrittenMapping } from './format.ts'
import type { Rule } from './mapping.ts'

type ReportHere = (message: string) => void

export function checkRule(
  rule: Rule,
  anyWritten: AnyWrittenRule,
  facts: PlatformFacts,
  match: readonly string[],
  report: ReportHere,
): void {
  const written = longRule(anyWritten)
  const { platform } = facts
  if (facts.statusAttributes.includes(rule.attribute)) {
    report('says whether the account is on, which only user.lifecycle writes: drop the rule')
    return
  }
  const loss = lossOf(rule)
  if (loss !== undefined && match.includes(rule.attribute)) {
    report(`is a match attribute, but ${loss.name} can make two people equal: drop it`)
  }
  const same = rule.source.kind === 'const' ? 'const' : rule.default === undefined ? undefined : 'default'
  if (same !== undefined && match.includes(rule.attribute)) {
    report(`is a match attribute, but ${same} gives several people one account: drop it`)
  }
  if (loss !== undefined && written.read !== 'never') {
    report(`cannot be read back, ${loss.name} ${loss.why}: say read: never`)
  }
  checkPolicies(rule, written, platform, report)
  // What a table would make of it is not known when there is none of that name.
  if (written.table === undefined || rule.table !== undefined) checkValues(rule, platform, report)
}

function checkPolicies(rule: Rule, written: ReturnType<typeof longRule>, platform: string, report: ReportHere): void {
  const isWrittenLater = rule.write === 'always' || rule.write === 'if_empty'
  const cannotChange = rule.fact.write === 'create' && isWrittenLater
  if (cannotChange && (written.on_change === undefined || written.on_change === 'apply')) {
    report(`${platform} cannot change it after creation: say on_change: refuse, on_change: keep or write: create`)
  }
  if (!isWrittenLater && written.on_change !== undefined) {
    report(`with write: ${rule.write} it is never compared: drop on_change`)
  }
  const alwaysHasValue = rule.required || rule.default !== undefined || rule.source.kind === 'const'
  if (rule.write === 'always' && !alwaysHasValue && rule.fact.clearable !== true && rule.empty !== 'keep') {
    report(`${platform} cannot clear it: say empty: keep, required or default`)
  }
}

/** The first thing in a rule that makes two values one. */
function lossOf(rule: Rule): { name: string; why: string } | undefined {
  if (rule.source.kind === 'join' || rule.source.kind === 'when')
    return { name: `'${rule.source.kind}'`, why: 'loses information' }
  const lossy = rule.transforms.find((transform) => transform.kind === 'lossy')
  if (lossy !== undefined) return { name: `'${lossy.name}'`, why: 'loses information' }
  if (rule.table === undefined || rule.table.inverse !== undefined) return undefined
  return { name: `table '${rule.table.name}'`, why: 'has a value twice' }
}

/** What can only be seen with all rules at hand. */
export function checkRules(
  written: WrittenMapping,
  rules: ReadonlyMap<string, Rule>,
  facts: PlatformFacts,
  report: Report,
): void {
  const attributes = new Set(Object.keys(written.user.attributes))
  if (attributes.size > mostRules)
    report(['user', 'attributes'], `has ${attributes.size} rules, at most ${mostRules} are read`)
  for (const [name, fact] of facts.attributes) {
    if (fact.required !== true || facts.statusAttributes.includes(name)) continue
    if (!attributes.has(name)) report(['user', 'attributes'], `${facts.platform} needs '${name}': add a rule for it`)
    else if (rules.get(name)?.write === 'never') {
      report(['user', 'attributes', name], `${facts.platform} needs it with every new account: drop write: never`)
    }
  }
  const findable = [...facts.attributes].filter(([, fact]) => fact.findable === true).map(([name]) => name)
  for (const list of ['match', 'distinct'] as const) {
    written.user[list]?.forEach((name, index) => {
      const path = ['user', list, index]
      if (!findable.includes(name)) {
        report(path, `${facts.platform} cannot find accounts by '${name}' (can: ${listed(findable)})`)
      } else if (!attributes.has(name)) report(path, `'${name}' has no rule in user.attributes: add one`)
      else if (list === 'distinct' && written.user.match.includes(name))
        report(path, `'${name}' is in match too: drop one`)
    })
  }
  checkReads(rules, report)
}

/** Two rules that fill one SCIM attribute: the second would be dropped. */
function checkReads(rules: ReadonlyMap<string, Rule>, report: Report): void {
  const fills = new Map<string, string>()
  for (const rule of rules.values()) {
    for (const path of rule.read) {
      const key =
        path.steps.map((step) => (step.kind === 'index' ? step.index : step.key)).join(' ') + selectorOf(path.text)
      const first = fills.get(key)
      if (first === undefined) fills.set(key, rule.attribute)
      else {
        report(
          ['user', 'attributes', rule.attribute],
          `is read back into ${path.text}, as ${first} is: say read: never on one of them`,
        )
      }
    }
  }
}

/** `emails[type eq "work"]` and `emails[type eq "home"]` are two places. */
function selectorOf(text: string): string {
  return /\[.*\]/.exec(text)?.[0].toLowerCase() ?? ''
}
