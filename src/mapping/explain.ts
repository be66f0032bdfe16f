/** How a mapping gets from a SCIM User to a platform's attributes, for a person who wonders why. */
import type { Grant, PlatformFacts } from '../facts.ts'
import type { Json, JsonObject } from '../json.ts'
import { grantsOf, type NamedGroup, toPlatform, unmatchedGroups } from './evaluate.ts'
import type { Mapping, Rule } from './mapping.ts'
import { lookupIn } from './paths.ts'
import { applyRule, missingAtCreation, pathsOf } from './rule-value.ts'

export interface AttributeExplanation {
  readonly attribute: string
  readonly describe: string | undefined
  /** The rule's policies that differ from the ordinary, for example `write: create`. */
  readonly policies: readonly string[]
  readonly inputs: readonly { readonly path: string; readonly value: Json | undefined }[]
  /** `from`, then every transform, `table …`, `default`. */
  readonly steps: readonly { readonly step: string; readonly value: Json | undefined }[]
  readonly value: Json | undefined
  /** Why there is no value; undefined when there is one. */
  readonly why: string | undefined
}

export interface Explanation {
  readonly platform: string
  readonly active: boolean
  readonly attributes: readonly AttributeExplanation[]
  /** What switches the account on or off. */
  readonly status: JsonObject
  readonly grants: readonly Grant[]
  readonly unmatchedGroups: readonly string[]
}

export function explain(
  mapping: Mapping,
  facts: PlatformFacts,
  scim: JsonObject,
  groups: readonly NamedGroup[],
): Explanation {
  const { active } = toPlatform(mapping, facts, scim, { activeDefault: true })
  const status = active ? mapping.lifecycle.reactivate : mapping.lifecycle.deactivate
  return {
    platform: mapping.platform,
    active,
    attributes: [...mapping.rules.values()].map((rule) => explainRule(rule, facts, scim)),
    status: Object.fromEntries(status),
    // Somebody who is off is given nothing new.
    grants: active ? grantsOf(mapping, groups) : [],
    unmatchedGroups: unmatchedGroups(mapping, groups).map((group) => group.displayName),
  }
}

function explainRule(rule: Rule, facts: PlatformFacts, scim: JsonObject): AttributeExplanation {
  const lookup = lookupIn(scim)
  const steps: { step: string; value: Json | undefined }[] = []
  const { value, refusal, isMissing } = applyRule(rule, facts.platform, lookup, (step, after) =>
    steps.push({ step, value: after }),
  )
  return {
    attribute: rule.attribute,
    describe: rule.describe,
    policies: policiesOf(rule),
    inputs: pathsOf(rule.source).map((path) => ({ path: path.text, value: lookup(path) })),
    steps,
    value,
    why: refusal?.message ?? (isMissing ? missingAtCreation(rule).message : whyNothing(rule, value, steps)),
  }
}

function whyNothing(
  rule: Rule,
  value: Json | undefined,
  steps: readonly { readonly step: string; readonly value: Json | undefined }[],
): string | undefined {
  if (value !== undefined) return undefined
  const lost = steps.find((step) => step.value === undefined)
  if (lost === undefined || lost.step === rule.source.kind) return `no value in ${sourceNames(rule)}, and no default`
  return `${lost.step} left no value, and there is no default`
}

function sourceNames(rule: Rule): string {
  return pathsOf(rule.source)
    .map((path) => path.text)
    .join(', ')
}

function policiesOf(rule: Rule): string[] {
  const policies: string[] = []
  if (rule.required) policies.push('required')
  if (rule.write !== 'always') policies.push(`write: ${rule.write}`)
  if (rule.onChange !== 'apply') policies.push(`on_change: ${rule.onChange}`)
  if (rule.empty !== 'clear') policies.push(`empty: ${rule.empty}`)
  return policies
}
