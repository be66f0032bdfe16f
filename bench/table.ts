/** The figures as a page: everything between the two marks of `docs/performance.md` is written by `npm run bench -- --keep`. */
import { type Figures, type Judged, judge, ofStore, type StoreKind } from './figures.ts'

const storeNames: Readonly<Record<StoreKind, string>> = { sqlite: 'SQLite', postgres: 'PostgreSQL' }

const begin = '<!-- figures: written by npm run bench -- --keep -->'
const end = '<!-- end of figures -->'

export function toMarkdown(page: string, figures: Figures): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to === -1) throw new Error('docs/performance.md has no marks for the figures')
  return `${page.slice(0, from + begin.length)}\n${tables(figures)}\n${page.slice(to)}`
}

export function tables(all: Figures): string {
  const { node, echoMs, least, stock, sizes, figures } = all
  const requests = [...new Map(figures.map(({ id, what }) => [id, what]))]
  const cell = (id: string, { store, users }: { store: StoreKind; users: number }) => {
    return inTwoWays(figures.find((one) => one.id === id && one.store === store && one.users === users))
  }
  const ofStock = (id: string) => stock.find((one) => one.id === id)?.cpuMs.toFixed(1) ?? '–'
  return [
    `Node ${node}; a bare Express echo of the same size needs ${echoMs.toFixed(3)} ms. CPU ms (× echo):`,
    '',
    row(['request', ...sizes.map((size) => `${nameOf(size)} users`), 'stock library']),
    row(['---', ...sizes.map(() => '---'), '---']),
    ...requests.map(([id, what]) => row([what, ...sizes.map((size) => cell(id, size)), ofStock(id)])),
    '',
    ...leastRows(least),
    row(['users', 'start to ready', 'memory under load', 'event loop kept by one request']),
    row(['---', '---', '---', '---']),
    ...sizes.map(({ store, users, startMs, rssMb, blocked }) =>
      row([
        nameOf({ store, users }),
        `${Math.round(startMs)} ms`,
        `${Math.round(rssMb)} MB`,
        blocked.map(({ what, ms }) => `${what}: ${Math.round(ms)} ms`).join('; '),
      ]),
    ),
    '',
    ...targetRows(all),
  ].join('\n')
}

function leastRows(least: Figures['least']): readonly string[] {
  if (least.length === 0) return []
  const stores = [...new Set(least.map(({ store }) => store))]
  const kinds = [...new Map(least.map(({ id, what }) => [id, what]))]
  const cell = (id: string, store: StoreKind) => inTwoWays(least.find((one) => one.id === id && one.store === store))
  return [
    row(['the least that could answer', ...stores.map((store) => storeNames[store])]),
    row(['---', ...stores.map(() => '---')]),
    ...kinds.map(([id, what]) => row([what, ...stores.map((store) => cell(id, store))])),
    '',
  ]
}

/** What has been judged of each store, by its worst size. */
function targetRows(all: Figures): readonly string[] {
  const stores = [...new Set(all.sizes.map(({ store }) => store))]
  const judged = stores.map((store) => judge(ofStore(all, store)))
  const cell = ({ worst, isMet }: Judged) => `${worst.toFixed(worst < 10 ? 2 : 0)}: ${isMet ? 'met' : 'missed'}`
  return [
    row(['target', 'limit', ...stores.map((store) => `${storeNames[store]}, worst of all sizes`)]),
    row(['---', '---', ...stores.map(() => '---')]),
    ...judge(all).map(({ what, limit }) => {
      const cells = judged.map((ofOne) => ofOne.find((one) => one.what === what))
      return row([what, limit, ...cells.map((one) => (one === undefined ? '–' : cell(one)))])
    }),
  ]
}

function inTwoWays(found: { readonly cpuMs: number; readonly timesEcho: number } | undefined): string {
  return found === undefined ? '–' : `${found.cpuMs.toFixed(3)} (${found.timesEcho.toFixed(1)} ×)`
}

function nameOf({ store, users }: { readonly store: StoreKind; readonly users: number }): string {
  return `${storeNames[store]}, ${users.toLocaleString('en')}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
