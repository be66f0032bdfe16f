import type { Located, LocatedEntry, LocatedMap } from '../yaml/located.ts'

/**
 * A per-connection file over the file that it extends: maps merge by key, `null` removes, everything else is replaced
 * whole. Positions stay those of the file that said it. The base's examples are about the base alone and are left out.
 */
export function merge(base: LocatedMap, override: LocatedMap): LocatedMap {
  const withoutExamples = new Map(base.entries)
  withoutExamples.delete('examples')
  return mergeMaps({ ...base, entries: withoutExamples }, override, [])
}

function mergeMaps(base: LocatedMap, override: LocatedMap, path: readonly string[]): LocatedMap {
  const entries = new Map(base.entries)
  for (const [name, over] of override.entries) {
    const here = [...path, name]
    if (over.value.kind === 'scalar' && over.value.value === null) {
      entries.delete(name)
      continue
    }
    const under = entries.get(name)
    entries.set(name, under === undefined ? withoutNulls(over) : mergeEntries(under, over, here))
  }
  return { ...override, entries }
}

function mergeEntries(under: LocatedEntry, over: LocatedEntry, path: readonly string[]): LocatedEntry {
  // An example is one whole thing, also where a base had one in the same place.
  if (over.value.kind !== 'map' || path[0] === 'examples') return over
  const base = longForm(under, path)
  if (base.kind !== 'map') return withoutNulls(over)
  return { key: over.key, value: mergeMaps(base, over.value, path) }
}

/** A rule in short form (`phone: path`) is `{ from: path }`, so that an override can add a policy to it. */
function longForm(entry: LocatedEntry, path: readonly string[]): Located {
  const isRule = path.length === 3 && path[0] === 'user' && path[1] === 'attributes'
  if (!isRule || entry.value.kind === 'map') return entry.value
  const { file, line, column } = entry.value
  return { file, line, column, kind: 'map', entries: new Map([['from', { key: entry.key, value: entry.value }]]) }
}

/** A `null` removes; where there is nothing to remove it says nothing. */
function withoutNulls(entry: LocatedEntry): LocatedEntry {
  if (entry.value.kind !== 'map') return entry
  const entries = new Map<string, LocatedEntry>()
  for (const [name, child] of entry.value.entries) {
    if (child.value.kind === 'scalar' && child.value.value === null) continue
    entries.set(name, withoutNulls(child))
  }
  return { key: entry.key, value: { ...entry.value, entries } }
}
