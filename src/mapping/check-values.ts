/** What a rule gives whoever comes: values, and kinds of values, that a step on the way or the platform would refuse each time. */
import type { Json } from '../json.ts'
import type { Path, Rule, Source, ValueType } from './mapping.ts'
import { workOn } from './rule-value.ts'
import { hasType, isNothing, typeWord, unfit, wordFor } from './values.ts'

type ReportHere = (message: string) => void

export function checkValues(rule: Rule, platform: string, report: ReportHere): void {
  const { table, source } = rule
  if (table !== undefined) {
    const odd = [...table.values.values()].find((value) => !hasType(value, rule.fact.type))
    if (odd !== undefined) {
      report(`table '${table.name}' gives ${wordFor(odd)}, ${platform} takes ${typeWord(rule.fact.type)}`)
    } else {
      // An empty text stands for no value, whatever the platform thinks of it.
      const values = [...table.values.values()].filter((value) => !isNothing(value))
      const [wrong] = values.flatMap((value) => unfit(value, rule.fact, platform) ?? [])
      if (wrong !== undefined) report(`a value of table '${table.name}': ${wrong}`)
    }
  }
  if (rule.default !== undefined) {
    const wrong = isNothing(rule.default) ? 'is empty: drop it' : unfit(rule.default, rule.fact, platform)
    if (wrong !== undefined) report(`default: ${wrong}`)
  }
  for (const value of constantsOf(source)) {
    if (isNothing(value)) {
      if (source.kind === 'const') report('const: is empty: drop the rule')
      continue
    }
    const worked = workOn(rule, value, anything)
    const wrong = 'wrong' in worked ? worked.wrong : unfitIfAny(worked.value, rule, platform)
    if (wrong !== undefined) report(`${source.kind}: ${wrong}`)
  }
  for (const path of source.kind === 'from' ? source.paths : []) {
    const wrong = wrongType(rule, path, platform)
    if (wrong !== undefined) report(`from: ${wrong}`)
  }
}

function constantsOf(source: Source): readonly Json[] {
  if (source.kind === 'const') return [source.value]
  if (source.kind !== 'when') return []
  return [...source.branches.map((branch) => branch.value), ...(source.else === undefined ? [] : [source.else])]
}

function unfitIfAny(value: Json | undefined, { fact, table }: Rule, platform: string): string | undefined {
  // What comes out of a table was looked at with the table.
  if (value === undefined || (table !== undefined && [...table.values.values()].includes(value))) return undefined
  return unfit(value, fact, platform)
}

/** One value of each type, which every step takes that takes its type at all. */
const samples = { string: '1', boolean: true, number: 1 } as const

function anything(): Json {
  return samples.string
}

/** Undefined where nothing is known of what the path finds, and where its values may well be taken. */
function wrongType({ transforms, table, fact }: Rule, path: Path, platform: string): string | undefined {
  let type: ValueType | undefined = path.type
  for (const transform of transforms) {
    if (type === undefined) return undefined
    const next = transform.run(samples[type], anything)
    if (next === undefined)
      return `'${transform.name}' does not take ${wordFor(samples[type])}, as ${path.text} gives it`
    type = typeOf(next)
  }
  // Whoever is in the table is well, also where it would pass on what the platform refuses.
  if (type === undefined || table !== undefined || hasType(samples[type], fact.type)) return undefined
  const [given, taken] = [wordFor(samples[type]), typeWord(fact.type)]
  return `${path.text} gives ${given}, ${platform} takes ${taken}: put a transform or a table in between`
}

function typeOf(value: Json): ValueType | undefined {
  const type = typeof value
  return type === 'string' || type === 'boolean' || type === 'number' ? type : undefined
}
