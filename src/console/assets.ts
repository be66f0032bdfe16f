/** Style and script of the pages, from this package and from npm packages; read once, named by what is in them. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { RequestHandler } from 'express'
import { Problem } from '../errors.ts'

export interface Asset {
  readonly name: string
  readonly type: string
  readonly bytes: Buffer
}

const resolved = createRequire(import.meta.url).resolve
const sources = [
  ['pico.css', 'text/css; charset=utf-8', resolved('@picocss/pico/css/pico.classless.min.css')],
  ['console.css', 'text/css; charset=utf-8', new URL('./console.css', import.meta.url)],
  ['htmx.js', 'text/javascript; charset=utf-8', resolved('htmx.org/dist/htmx.min.js')],
] as const

/** `pico.css` → the file that pages name. */
export const assets: ReadonlyMap<string, Asset> = new Map(
  sources.map(([name, type, file]): [string, Asset] => {
    const bytes = readFileSync(file)
    return [name, { name: `${hash('sha256', bytes).slice(0, 16)}-${name}`, type, bytes }]
  }),
)

const byName = new Map([...assets.values()].map((asset) => [asset.name, asset]))

/** No sign-in: they tell nothing. Kept by browsers for a year: another content has another name. */
export const serveAsset: RequestHandler = (request, response) => {
  const asset = byName.get(String(request.params.name))
  if (asset === undefined) throw new Problem(404, undefined, 'There is no such page.')
  response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
  response.setHeader('Content-Type', asset.type)
  response.end(asset.bytes)
}
