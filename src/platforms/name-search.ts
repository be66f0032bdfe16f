/**
 * Names are resolved by the system, which does so for very few at a time: two, however many connections there are (libuv gives
 * half of its four threads to it), each for as long as a resolver keeps it waiting. So that names whose resolver does not answer
 * keep nobody else waiting, a name is looked up once at a time for all who ask, and of names that were late one at a time.
 */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns'

/** `error`: its code. */
export type Found = (error: string | undefined, addresses: readonly LookupAddress[]) => void

interface Search {
  readonly hostname: string
  readonly options: LookupOptions
  readonly asking: Set<Found>
  isBegun: boolean
}

/** By name and options. Names are those of bridge.yaml: few. */
const searches = new Map<string, Search>()
/** Of these somebody has waited in vain, and nobody has got an answer since. */
const late = new Set<string>()

/** Answers how to ask no more: nobody who waited in vain is answered, and the name counts as late. */
export function searchName(hostname: string, options: LookupOptions, found: Found): () => void {
  const key = JSON.stringify([hostname, options.family, options.hints, options.order, options.verbatim])
  const search = searches.get(key) ?? { hostname, options, asking: new Set(), isBegun: false }
  searches.set(key, search)
  search.asking.add(found)
  beginNext()
  return () => {
    search.asking.delete(found)
    late.add(key)
    // One that the system is at cannot be called back.
    if (search.asking.size === 0 && !search.isBegun) searches.delete(key)
  }
}

function beginNext(): void {
  for (const [key, search] of searches) {
    const mustWait = late.has(key) && [...searches].some(([other, { isBegun }]) => isBegun && late.has(other))
    if (!search.isBegun && !mustWait) begin(key, search)
  }
}

function begin(key: string, search: Search): void {
  search.isBegun = true
  const { hostname, options, asking } = search
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    searches.delete(key)
    if (error === null && asking.size > 0) late.delete(key)
    for (const found of asking) {
      if (error === null) found(undefined, addresses)
      else found(error.code ?? error.name, [])
    }
    beginNext()
  })
}
