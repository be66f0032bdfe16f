import type { Json, NamedByMapping } from '../facts.ts'
import type { Mapping, Rule } from './mapping.ts'
import { isNothing } from './values.ts'

/** What a mapping names of the platform, whoever comes. A value that a transform makes anew is none of them. */
export function namedByMapping({ mode, groups, rules }: Mapping): NamedByMapping {
  return {
    mode,
    grants: [...groups.listed.keys()],
    values: new Map([...rules.values()].map((rule) => [rule.attribute, valuesOf(rule)])),
  }
}

function valuesOf({ source, transforms, table, default: otherwise }: Rule): readonly Json[] {
  const last = otherwise === undefined ? [] : [otherwise]
  if (table !== undefined) return [...new Set([...table.values.values(), ...last])].filter((value) => !isNothing(value))
  return [...new Set([...(transforms.length > 0 ? [] : written(source)), ...last])]
}

function written(source: Rule['source']): readonly Json[] {
  if (source.kind === 'const') return [source.value]
  if (source.kind !== 'when') return []
  const { branches, else: otherwise } = source
  return [...branches.map(({ value }) => value), ...(otherwise === undefined ? [] : [otherwise])]
}
