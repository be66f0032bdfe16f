import type { Attributes, PlatformFacts } from '../facts.ts'
import type { Json } from '../json.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Report } from './compile.ts'
import type { WrittenMapping } from './format.ts'
import type { Lifecycle } from './mapping.ts'
import { factOf, unfit } from './values.ts'

type Written = WrittenMapping['user']['lifecycle']

export function compileLifecycle(written: Written, facts: PlatformFacts, report: Report): Lifecycle {
  const at = ['user', 'lifecycle']
  const deactivate = statusOf(written.deactivate, [...at, 'deactivate'], facts, report)
  const reactivate = statusOf(written.reactivate, [...at, 'reactivate'], facts, report)
  const activeWhen = written.active_when && activeWhenOf(written.active_when, [...at, 'active_when'], facts, report)
  if (isSubset(deactivate, reactivate) || isSubset(reactivate, deactivate)) {
    report([...at, 'reactivate'], 'is the same as deactivate: nobody could be switched off')
  }
  if (activeWhen !== undefined) {
    if (counts(activeWhen, deactivate))
      report([...at, 'active_when'], 'holds for deactivate: nobody would be read as off')
    if (!counts(activeWhen, reactivate))
      report([...at, 'active_when'], 'does not hold for reactivate: nobody would be read as on')
  }
  const wayOut = written.delete ?? 'deactivate'
  if (wayOut === 'delete' && !facts.canDelete) {
    report([...at, 'delete'], `${facts.platform} cannot delete accounts: say delete: deactivate or delete: refuse`)
  }
  return {
    deactivate,
    reactivate,
    activeWhen,
    delete: wayOut,
    revokeOnDeactivate: written.revoke_on_deactivate ?? false,
  }
}

function statusOf(
  written: Readonly<Record<string, Json>>,
  at: readonly string[],
  facts: PlatformFacts,
  report: Report,
): Attributes {
  const status = new Map(Object.entries(written))
  if (status.size === 0) report(at, 'is empty')
  for (const [name, value] of status) checkStatus(name, [value], [...at, name], facts, report)
  return status
}

function activeWhenOf(
  written: NonNullable<Written['active_when']>,
  at: readonly string[],
  facts: PlatformFacts,
  report: Report,
): ReadonlyMap<string, readonly Json[]> {
  const activeWhen = new Map<string, readonly Json[]>()
  for (const [name, value] of Object.entries(written)) {
    const values: Json[] = Array.isArray(value) ? value : [value]
    activeWhen.set(name, values)
    checkStatus(name, values, [...at, name], facts, report)
  }
  if (activeWhen.size === 0) report(at, 'is empty')
  return activeWhen
}

function checkStatus(
  name: string,
  values: readonly Json[],
  at: readonly string[],
  facts: PlatformFacts,
  report: Report,
): void {
  if (!facts.statusAttributes.includes(name)) {
    report(at, `${facts.platform} has no status attribute '${name}'${suggestion(name, facts.statusAttributes)}`)
    return
  }
  const fact = factOf(facts, name)
  if (fact === undefined) return
  for (const value of values) {
    const wrong = unfit(value, fact, facts.platform)
    if (wrong !== undefined) report(at, wrong)
  }
}

function isSubset(a: Attributes, b: Attributes): boolean {
  return [...a].every(([name, value]) => b.get(name) === value)
}

function counts(activeWhen: ReadonlyMap<string, readonly Json[]>, status: Attributes): boolean {
  return [...activeWhen].every(([name, values]) => values.some((value) => value === status.get(name)))
}
