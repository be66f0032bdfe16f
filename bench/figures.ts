/** What a run has found, the targets, and the comparison with the run that is checked in. */

export type StoreKind = 'sqlite' | 'postgres'

export interface Figure {
  readonly store: StoreKind
  readonly users: number
  readonly id: string
  readonly what: string
  /** CPU milliseconds of the process a request, the median of the rounds. */
  readonly cpuMs: number
  /** The same, divided by what the bare echo needed in the same round; the median of the rounds. */
  readonly timesEcho: number
  /** How often cheaper than the library as it comes; where the library was asked the same. */
  readonly cheaperThanStock: number | undefined
}

export interface Size {
  readonly store: StoreKind
  readonly users: number
  readonly startMs: number
  readonly rssMb: number
  /** The longest that one request kept the event loop from others: what it was, and milliseconds. */
  readonly blocked: readonly { readonly what: string; readonly ms: number }[]
}

export interface Figures {
  readonly node: string
  readonly echoMs: number
  readonly stock: readonly { readonly id: string; readonly what: string; readonly cpuMs: number }[]
  readonly sizes: readonly Size[]
  readonly figures: readonly Figure[]
}

interface Target {
  readonly what: string
  readonly limit: number
  /** One value a size; what a run did not measure is not judged. */
  readonly values: (figures: Figures) => readonly number[]
  readonly isAtLeast?: boolean
}

const cpu = (id: string) => (all: Figures) => all.figures.filter((one) => one.id === id).map(({ cpuMs }) => cpuMs)
const echo = (id: string) => (all: Figures) =>
  all.figures.filter((one) => one.id === id).map(({ timesEcho }) => timesEcho)
const stock = (id: string) => (all: Figures) =>
  all.figures.flatMap(({ id: of, cheaperThanStock }) => (of === id ? (cheaperThanStock ?? []) : []))

export const targets: readonly Target[] = [
  { what: 'GET by id, × echo', limit: 3, values: echo('get') },
  { what: 'GET by id, cheaper than stock', limit: 10, values: stock('get'), isAtLeast: true },
  { what: 'userName eq, × echo', limit: 4, values: echo('equal') },
  { what: 'list of 100, ms', limit: 0.5, values: cpu('list100') },
  { what: 'POST, ms', limit: 1.5, values: cpu('post') },
  { what: 'PUT, ms', limit: 1.5, values: cpu('put') },
  { what: 'PATCH, ms', limit: 1.5, values: cpu('patch') },
  { what: 'one member, group of 50,000, ms', limit: 2, values: cpu('member50000') },
  { what: 'growth from the smallest to the largest store, %', limit: 25, values: growths },
  { what: 'start to ready, ms', limit: 1_000, values: ({ sizes }) => sizes.map(({ startMs }) => startMs) },
  { what: 'memory under load, MB', limit: 200, values: ({ sizes }) => sizes.map(({ rssMb }) => rssMb) },
  {
    what: 'event loop kept by one request, ms',
    limit: 50,
    values: ({ sizes }) => sizes.map(({ blocked }) => Math.max(0, ...blocked.map(({ ms }) => ms))),
  },
]

export function ofStore(all: Figures, store: StoreKind): Figures {
  const isOf = (one: { readonly store: StoreKind }) => one.store === store
  return { ...all, sizes: all.sizes.filter(isOf), figures: all.figures.filter(isOf) }
}

/** By ratio to the echo of the same run, in percent; one value for each kind of request and of store. */
function growths(all: Figures): readonly number[] {
  return (['sqlite', 'postgres'] as const).flatMap((store) => {
    const { figures, sizes } = ofStore(all, store)
    return growthsOf(
      figures,
      sizes.map(({ users }) => users),
    )
  })
}

function growthsOf(figures: readonly Figure[], sizes: readonly number[]): readonly number[] {
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)]
  if (smallest >= largest) return []
  const at = (users: number, id: string) => figures.find((one) => one.users === users && one.id === id)?.timesEcho
  const ids = new Set(figures.map(({ id }) => id))
  return [...ids].flatMap((id) => {
    const [before, after] = [at(smallest, id), at(largest, id)]
    return before === undefined || after === undefined ? [] : (after / before - 1) * 100
  })
}

export interface Judged {
  readonly what: string
  readonly limit: string
  readonly worst: number
  readonly isMet: boolean
}

export function judge(figures: Figures): readonly Judged[] {
  return targets.flatMap(({ what, limit, values, isAtLeast = false }) => {
    const found = values(figures)
    if (found.length === 0) return []
    const worst = isAtLeast ? Math.min(...found) : Math.max(...found)
    const isMet = isAtLeast ? worst >= limit : worst <= limit
    return { what, limit: `${isAtLeast ? '≥' : '≤'} ${limit}`, worst, isMet }
  })
}

/** Noise of a shared machine stays below it; what is worth a look does not. */
export const tolerance = 1.35

/**
 * What has become dearer since the figures that are checked in. By ratio to the echo, never by milliseconds: machines
 * differ. Empty: nothing has.
 */
export function regressions(before: Figures, now: Figures): readonly string[] {
  return now.figures.flatMap(({ store, users, id, what, timesEcho }) => {
    const known = before.figures.find((one) => one.store === store && one.users === users && one.id === id)
    if (known === undefined || timesEcho <= known.timesEcho * tolerance) return []
    return `${what} with ${users} users on ${store}: ${timesEcho.toFixed(1)} × echo, it was ${known.timesEcho.toFixed(1)} ×`
  })
}
