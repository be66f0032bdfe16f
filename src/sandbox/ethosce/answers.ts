/** How a Drupal 7 with restws writes its answers: PHP's JSON, one-line texts under `text/html`, and whole HTML pages. */
import type { SimulatorAnswer } from '../simulator.ts'

const reasons: ReadonlyMap<number, string> = new Map([
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [406, 'Not Acceptable'],
  [409, 'Conflict'],
  [412, 'Precondition Failed'],
  [422, 'Unprocessable Entity'],
  [500, 'Internal Server Error'],
])

/** Thrown anywhere below the dispatcher: the call is over with this answer. */
export class Refusal extends Error {
  readonly answer: SimulatorAnswer
  constructor(answer: SimulatorAnswer) {
    super(`EthosCE answers ${answer.status}`)
    this.name = 'Refusal'
    this.answer = answer
  }
}

/** drupal_json_encode: slashes, quotes, angle brackets, ampersands and all non-ASCII characters are escaped. */
export function phpJson(value: unknown): string {
  return JSON.stringify(value).replace(/\\(.)|[/'<>&]|[^ -~]/g, (found, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped === '"' ? '\\u0022' : found
    if (found === '/') return '\\/'
    const hex = found.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${found === '<' || found === '>' ? hex.toUpperCase() : hex}`
  })
}

export function json(status: number, value: unknown): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: phpJson(value) }
}

export const done: SimulatorAnswer = { status: 200, headers: { 'content-type': 'application/json' }, body: '[]' }

/** restws' own refusals: `406 Not Acceptable: Unknown data property x.`, HTML-escaped. */
export function text(status: number, detail?: string): SimulatorAnswer {
  const start = `${status} ${reasons.get(status) ?? ''}`
  return textLine(status, detail === undefined ? start : `${start}: ${detail}`)
}

export function textLine(status: number, line: string): SimulatorAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: escapeHtml(line) }
}

export function escapeHtml(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#039;')
}

/** A page of the site's theme, as menu paths such as `/user/7` answer. */
export function sitePage(status: number, title: string): SimulatorAnswer {
  const body = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML+RDFa 1.0//EN"
  "http://www.w3.org/MarkUp/DTD/xhtml-rdfa-1.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" version="XHTML+RDFa 1.0" dir="ltr">
<head profile="http://www.w3.org/1999/xhtml/vocab">
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="Generator" content="Drupal 7 (http://drupal.org)" />
<title>${escapeHtml(title)} | EthosCE test site</title>
</head>
<body><h1>${escapeHtml(title)}</h1></body>
</html>
`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

export const pageNotFound = () => sitePage(404, 'Page not found')
export const accessDenied = () => sitePage(403, 'Access denied')

/** The page of an uncaught exception. It names no reason unless the site displays errors. */
export function crash(reason?: string): SimulatorAnswer {
  const shown = reason === undefined ? '' : `<p>${escapeHtml(reason)}</p>`
  const body = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"
  "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en" dir="ltr">
<head>
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="Generator" content="Drupal 7 (http://drupal.org)" />
<title>Error | EthosCE test site</title>
</head>
<body><h1>Error</h1><p>The website encountered an unexpected error. Please try again later.</p>${shown}</body>
</html>
`
  return { status: 500, headers: { 'content-type': 'text/html; charset=UTF-8' }, body }
}
