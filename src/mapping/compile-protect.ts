import type { PlatformFacts } from '../facts.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Report } from './compile.ts'
import type { WrittenProtect } from './format.ts'
import type { ProtectTest } from './mapping.ts'
import { factOf } from './values.ts'

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
    return [{ attribute: test.attribute, kind, value }]
  })
}
