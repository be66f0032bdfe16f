import type { Json, PlatformFacts } from '../facts.ts'
import type { PathPart } from '../yaml/located.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Report } from './compile.ts'
import type { WrittenProtect } from './format.ts'
import type { ProtectTest } from './mapping.ts'
import { factOf, hasType, typeWord, wordFor } from './values.ts'

const kinds = ['equals', 'one_of', 'starts_with', 'ends_with', 'contains', 'present'] as const

export function compileProtect(
  written: readonly WrittenProtect[],
  facts: PlatformFacts,
  report: Report,
): readonly ProtectTest[] {
  return written.flatMap((test, index) => {
    const at = ['user', 'protect', index]
    if (factOf(facts, test.attribute) === undefined) {
      const known = suggestion(test.attribute, facts.attributes.keys())
      report([...at, 'attribute'], `${facts.platform} has no attribute '${test.attribute}'${known}`)
    }
    const found = kinds.filter((kind) => test[kind] !== undefined)
    const [kind] = found
    const value = kind && test[kind]
    if (kind === undefined || value === undefined || found.length !== 1) {
      const what = found.length === 0 ? 'none' : found.join(', ')
      report(at, `say exactly one of ${kinds.join(', ')} (found ${what})`)
      return []
    }
    if (kind !== 'present') checkValues([value].flat(), test.attribute, [...at, kind], facts, report)
    return [{ attribute: test.attribute, kind, value }]
  })
}

/** `equals: yes` is a text, and no truth value is equal to it: whoever was to be protected would be written. */
function checkValues(
  values: readonly Json[],
  attribute: string,
  at: readonly PathPart[],
  facts: PlatformFacts,
  report: Report,
): void {
  const fact = factOf(facts, attribute)
  // Of lists each entry is looked at, and what they hold the facts do not say.
  if (fact === undefined || fact.type === 'object') return
  const wrong = values.find((value) => !hasType(value, fact.type))
  if (wrong === undefined) return
  report(at, `is ${wordFor(wrong)}, ${facts.platform} has ${typeWord(fact.type)}: nobody would be protected`)
}
