/** Debian's Chromium, driven as a person would drive it. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { operatorToken } from './console-world.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** For `test(…, { skip })`: said in the results, and a failure where CI_BROWSER_REQUIRED=1. */
export const skipWithoutBrowser =
  executablePath === undefined && process.env.CI_BROWSER_REQUIRED !== '1'
    ? "no Chromium here: the operator's pages were not tried in a browser (apt-get install chromium)"
    : false

const options = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Generous: the machine may be busy. */
const patienceMs = 30_000

export interface Window {
  readonly page: Page
  readonly context: BrowserContext
  /** What went wrong in the page: errors, refusals of the content policy, dialogs that a script has opened. */
  readonly complaints: string[]
  close(): Promise<void>
}

let browser: Promise<Browser> | undefined

/** After the last window of a file: without it the file would not end. */
export async function closeBrowser(): Promise<void> {
  const closing = browser
  // Another file of the same process may want one again.
  browser = undefined
  await (await closing)?.close()
}

export async function openWindow(url: string, more: BrowserContextOptions = {}): Promise<Window> {
  assert.ok(executablePath !== undefined, 'CI_BROWSER_REQUIRED=1, and there is no Chromium')
  browser ??= chromium.launch({ executablePath, headless: true, args: options })
  // As good as a browser of its own: nothing is shared, and it is there at once.
  const context = await (await browser).newContext({ baseURL: url, viewport: { width: 1100, height: 800 }, ...more })
  context.setDefaultTimeout(patienceMs)
  const complaints: string[] = []
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) complaints.push(request.url())
  })
  return {
    page,
    context,
    complaints,
    close: () => context.close(),
  }
}

export async function signIn(page: Page, token: string = operatorToken): Promise<void> {
  await page.goto('/console')
  await page.getByLabel("Operator's token").fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong on the page, one line each: rule, and the element. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource)
  const found: unknown = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
  assert.ok(typeof found === 'object' && found !== null && 'violations' in found && Array.isArray(found.violations))
  return found.violations.flatMap(({ id, nodes }: { id: string; nodes: { html: string }[] }) =>
    nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`),
  )
}
