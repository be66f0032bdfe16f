import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { assets } from './assets.ts'
import type { Operator } from './door.ts'
import { plain, time, timeText } from './words.ts'

const templates = join(dirname(fileURLToPath(import.meta.url)), 'templates')
/** Escapes everything that a template writes; only the layout takes what a template has made as it is. */
const eta = new Eta({ views: templates, cache: true, autoEscape: true })

/** Query of a page that asks for itself again. */
export const refreshing = 'refreshing'

export type Section = 'overview' | 'people' | 'operations' | 'findings' | 'requests' | 'mapping' | 'setup'

/** What a handler answers: a template with what it shows, or where to go on. */
export type Answer = Page | { readonly goTo: string }

export interface Page {
  readonly title: string
  readonly template: string
  readonly section?: Section
  readonly status?: number
  /** Said above the page, and read out. */
  readonly notice?: string | undefined
  readonly content: object
}

export interface Frame {
  /** Path of the pages, without a slash at the end. */
  readonly base: string
  readonly operator: Operator | undefined
  readonly formToken: string
}

const sections: readonly (readonly [Section, string, string])[] = [
  ['overview', 'Overview', ''],
  ['people', 'People', '/people'],
  ['operations', 'Operations', '/operations'],
  ['findings', 'Reconcile', '/findings'],
  ['requests', 'Requests', '/requests'],
  ['mapping', 'Mapping', '/mapping'],
  ['setup', 'Setup', '/setup'],
]

export function renderPage(page: Page, { base, operator, formToken }: Frame): string {
  return eta.render(page.template, {
    base,
    operator,
    formToken,
    title: page.title,
    notice: page.notice,
    sections: sections.map(([name, label, path]) => ({ label, href: base + path, isCurrent: name === page.section })),
    asset: (name: string) => `${base}/assets/${assets.get(name)?.name ?? ''}`,
    /** A path below the pages; each part is encoded. */
    path: (...parts: readonly string[]) => [base, ...parts.map(encodeURIComponent)].join('/'),
    query: (values: Readonly<Record<string, string | number | undefined>>) => queryText(values),
    refreshing,
    plain,
    time,
    timeText,
    ...page.content,
  })
}

/** `?a=1&b=2`, of what is there. */
export function queryText(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
