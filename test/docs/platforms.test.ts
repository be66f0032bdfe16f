import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { platforms } from '../../src/platforms/registry.ts'
import { root } from '../cli/processes.ts'
import { pages, pageText } from './code-blocks.ts'

const parts = ['What to create there', 'The mapping that is shipped', 'Grants', 'Traps', 'What SCIM cannot do there']

describe('the pages of the platforms', () => {
  test('are one for each platform', () => {
    assert.deepEqual(
      pages.filter((page) => page.startsWith('docs/platforms/')),
      [...platforms.keys()].sort().map((name) => `docs/platforms/${name}.md`),
    )
  })

  for (const [name, { facts }] of platforms) {
    const page = pageText(`docs/platforms/${name}.md`)

    test(`${name}: the table is the mapping that is shipped, attribute by attribute`, () => {
      const { user } = parse(readFileSync(join(root, `mappings/${name}.yaml`), 'utf8'))
      const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, attribute]) => attribute)
      assert.deepEqual(rows, Object.keys(user.attributes))
    })

    test(`${name}: the page has every part, and names what takes the person's log-in away`, () => {
      const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title)
      assert.deepEqual(
        titles.filter((title) => title !== 'Invitations'),
        parts,
      )
      const { user } = parse(readFileSync(join(root, `mappings/${name}.yaml`), 'utf8'))
      const [value] = Object.values(user.lifecycle.deactivate)
      assert.match(page, new RegExp(`^Off is .*\`(?:\\w+: )?${value}\``, 'm'))
      assert.ok(page.includes(facts.title))
    })

    test(`${name}: the page says whether wrong log-ins lock the service account`, () => {
      assert.equal(/lock the service account/.test(page), facts.locksOnWrongCredentials)
    })
  }
})
