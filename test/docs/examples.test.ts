import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parse } from 'yaml'
import { builtInMappings, readConfig } from '../../src/bridge.ts'
import { isJsonObject } from '../../src/json.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { aFolder } from '../cli/demo-process.ts'
import { type CodeBlock, codeBlocks, pages } from './code-blocks.ts'

const folder = aFolder()
cpSync(builtInMappings, join(folder.path, 'mappings'), { recursive: true })
after(folder.remove)

/** Good enough for a token, and for the key of a store. */
const secret = Buffer.alloc(32, 'examples').toString('base64')
/** Examples of one connection leave out what every file has. */
const rest = 'publicUrl: https://scim.uni.example\n'

function loadsAsConfiguration({ text }: CodeBlock): void {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
  for (const [, path = ''] of text.matchAll(/\{ file: ([^ }]+) \}/g)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    writeFileSync(join(folder.path, path), `${secret}\n`)
  }
  const file = join(folder.path, 'bridge.yaml')
  writeFileSync(file, text.startsWith('connections:') ? rest + text : text)
  const { connections } = readConfig(file, Object.fromEntries(names.map((name) => [name, secret])))
  assert.ok(connections.length > 0)
  for (const { tokens } of connections) for (const token of tokens) assert.equal(token, secret)
}

/** The built-in mapping of figshare, with these examples in place of its own. */
function runsOnFigshare({ text }: CodeBlock): void {
  const file = join(folder.path, 'mappings', 'connections', 'of-the-docs.yaml')
  writeFileSync(file, `version: 1\nplatform: figshare\nextends: ../figshare.yaml\n${text}`)
  readMappingFile(file, (platform) => platforms.get(platform)?.facts)
}

/** A per-connection file; the lines that each of them has are left out. */
function loadsOverItsBase({ text }: CodeBlock, platform: string): void {
  const file = join(folder.path, 'mappings', 'connections', 'of-the-docs.yaml')
  writeFileSync(file, `version: 1\nextends: ../${platform}.yaml\n${text}`)
  readMappingFile(file, (name) => platforms.get(name)?.facts)
}

describe('every YAML example of the docs loads', () => {
  for (const block of pages.flatMap((page) => codeBlocks(page, 'yaml'))) {
    test(block.place, () => {
      const written: unknown = parse(block.text)
      assert.ok(isJsonObject(written))
      const keys = Object.keys(written)
      if (keys.includes('connections')) return loadsAsConfiguration(block)
      if (typeof written.platform === 'string') return loadsOverItsBase(block, written.platform)
      assert.deepEqual(keys, ['examples'], 'a configuration, a mapping of a connection, or examples of a mapping')
      runsOnFigshare(block)
    })
  }
})

test('the docs have an example of a connection for every platform', () => {
  const examples = codeBlocks('docs/configuration.md', 'yaml').map(({ text }) => text)
  for (const platform of platforms.keys()) {
    assert.ok(
      examples.some((text) => text.startsWith('connections:') && text.includes(`platform: ${platform}\n`)),
      platform,
    )
  }
})
