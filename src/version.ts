import { readFileSync } from 'node:fs'

const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** Of this release. */
export const version = String(typeof manifest === 'object' && manifest !== null && Reflect.get(manifest, 'version'))
