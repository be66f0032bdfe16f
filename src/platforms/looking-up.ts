/** Whether a platform has what a mapping names: told with the names that are missing. A mapping's names are no secrets. */
import type { Grant, NamedByMapping } from '../facts.ts'
import { checkedNames } from '../limits.ts'
import type { Call } from './platform.ts'
import type { ProbeQuestion } from './probing.ts'

type Name = string | number

/** Names that are shown of a list; the rest is counted. */
const shown = 20

/** What grants have under one key, each once. */
export function inGrants(grants: readonly Grant[], key: string): readonly Name[] {
  return [...new Set(grants.flatMap((grant) => new Map(Object.entries(grant)).get(key) ?? []))]
}

/** What rules write into one attribute by themselves, each once. */
export function inRules({ values }: NamedByMapping, attribute: string): readonly Name[] {
  const found = values.get(attribute) ?? []
  return [...new Set(found.filter((value) => typeof value === 'string' || typeof value === 'number'))]
}

export interface LookUp {
  /** What they are called in the plural: `groups`. */
  readonly what: string
  readonly names: readonly Name[]
  /** What to do about those that are missing. */
  readonly remedy: string
  /** Which of them there are. */
  present(call: Call, names: readonly Name[]): Promise<ReadonlySet<Name>>
  /** More are not looked up, and that is said; undefined: all are. */
  readonly most?: number
}

/** A question where the mapping names anything; without the names the connection works in part. */
export function lookUp({ what, names, remedy, present, most = names.length }: LookUp): readonly ProbeQuestion[] {
  if (names.length === 0) return []
  return [
    {
      name: `${what} of the mapping`,
      isOptional: true,
      remedy: `${what} cannot be looked up: see by hand whether the mapping names the right ones`,
      async ask(call) {
        const looked = names.slice(0, most)
        const there = await present(call, looked)
        const missing = looked.filter((name) => !there.has(name))
        const left = names.length - looked.length
        const more = left === 0 ? '' : `; ${left} more were not looked up`
        if (missing.length === 0) return `${looked.length} named, all there${more}`
        return { seen: `missing: ${listOf(missing)}${more}`, remedy }
      },
    },
  ]
}

/** For platforms that are asked for one at a time: as many as a check has time for. */
export function oneByOne(isThere: (call: Call, name: Name) => Promise<boolean>): Pick<LookUp, 'present' | 'most'> {
  return {
    most: checkedNames,
    async present(call, names) {
      const there = new Set<Name>()
      for (const name of names) if (await isThere(call, name)) there.add(name)
      return there
    },
  }
}

function listOf(names: readonly Name[]): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : ''
  return names.slice(0, shown).join(', ') + more
}
