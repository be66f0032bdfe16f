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

/** What a request costs that does nothing but what has to be done. */
export interface Least {
  readonly store: StoreKind
  readonly id: 'read' | 'change'
  readonly what: string
  readonly cpuMs: number
  readonly timesEcho: number
}

export interface Figures {
  readonly node: string
  readonly echoMs: number
  readonly least: readonly Least[]
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

/** Of the machine on which the limits in milliseconds were set. */
export const referenceEchoMs = 0.025

const cpu = (id: string) => (all: Figures) => all.figures.filter((one) => one.id === id).map(({ cpuMs }) => cpuMs)
const echo = (id: string) => (all: Figures) =>
  all.figures.filter((one) => one.id === id).map(({ timesEcho }) => timesEcho)
const scaled = (id: string) => (all: Figures) => echo(id)(all).map((times) => times * referenceEchoMs)
const stock = (id: string) => (all: Figures) =>
  all.figures.flatMap(({ id: of, cheaperThanStock }) => (of === id ? (cheaperThanStock ?? []) : []))

export const targets: readonly Target[] = [
  { what: 'GET by id, × echo', limit: 3, values: echo('get') },
  { what: 'GET by id, cheaper than stock', limit: 10, values: stock('get'), isAtLeast: true },
  { what: 'userName eq, × echo', limit: 4, values: echo('equal') },
  ...inMilliseconds('list of 100', 0.5, 'list100'),
  ...inMilliseconds('POST', 1.5, 'post'),
  ...inMilliseconds('PUT', 1.5, 'put'),
  ...inMilliseconds('PATCH', 1.5, 'patch'),
  ...inMilliseconds('one member, group of 50,000', 2, 'member50000'),
  { what: 'growth from the smallest to the largest store, %', limit: 25, values: growths },
  { what: 'start to ready, ms', limit: 1_000, values: ({ sizes }) => sizes.map(({ startMs }) => startMs) },
  { what: 'memory under load, MB', limit: 200, values: ({ sizes }) => sizes.map(({ rssMb }) => rssMb) },
  {
    what: 'event loop kept by one request, ms',
    limit: 50,
    values: ({ sizes }) => sizes.map(({ blocked }) => Math.max(0, ...blocked.map(({ ms }) => ms))),
  },
]

/** As measured here, and as it would be where the echo needs what it needed when the limit was set. */
function inMilliseconds(what: string, limit: number, id: string): readonly Target[] {
  return [
    { what: `${what}, ms`, limit, values: cpu(id) },
    { what: `${what}, ms where the echo needs ${referenceEchoMs}`, limit, values: scaled(id) },
  ]
}

export function ofStore(all: Figures, store: StoreKind): Figures {
  const isOf = (one: { readonly store: StoreKind }) => one.store === store
  return { ...all, least: all.least.filter(isOf), sizes: all.sizes.filter(isOf), figures: all.figures.filter(isOf) }
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
