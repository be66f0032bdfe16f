/**
 * Loads every file of the product once, also what is only loaded on demand: with `keep-compiled.cjs` in front of it no later start
 * of `main.ts` has anything to compile. For an image, whose files cannot be written when it runs.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = new URL('../', import.meta.url)
/** This one, and the one in front of which it is loaded. */
const begun = ['cli/compile.ts', 'main.ts']

for (const path of readdirSync(fileURLToPath(source), { recursive: true, encoding: 'utf8' })) {
  if (path.endsWith('.ts') && !begun.includes(path)) await import(new URL(path, source).href)
}
