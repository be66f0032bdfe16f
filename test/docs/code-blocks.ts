import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../cli/processes.ts'

export interface CodeBlock {
  /** `docs/mapping.md:17` */
  readonly place: string
  readonly language: string
  readonly text: string
}

/** README and every page of `docs/` and its folders. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${String(name).replaceAll('\\', '/')}`),
]
  .filter((name) => name.endsWith('.md'))
  .sort()

export function pageText(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** What stands between fences, without the indentation of a list around it. */
export function codeBlocks(page: string, language: string): CodeBlock[] {
  const text = pageText(page)
  return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)]
    .map((found) => {
      const [, indent = '', name = '', inner = ''] = found
      const lines = inner.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      const place = `${page}:${text.slice(0, found.index).split('\n').length + 1}`
      return { place, language: name, text: lines.join('\n') }
    })
    .filter((block) => block.language === language)
}
