/** A newcomer's first ten minutes: the README's own lines, the operator's pages, a platform that goes away and comes back. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { fault, startDemo, viewOfDemo } from '../cli/demo-process.ts'
import { within } from '../cli/processes.ts'
import { closeBrowser, openWindow, signIn, skipWithoutBrowser } from '../console/browser.ts'
import { codeBlocks } from './code-blocks.ts'

const token = 'a-token-for-trying-it-out'
const email = 'ada@uni.example'
const patience = 20_000

after(closeBrowser)

/** The README's lines, word by word but for the port; in place of Figshare any other platform. */
async function type(text: string, port: number, platform: string): Promise<string> {
  const there = text.replaceAll(':8080/figshare/', `:${port}/${platform}/`)
  assert.notEqual(there, text, 'the README speaks of port 8080 and Figshare')
  return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', there])).stdout
}

test('a newcomer pushes somebody, sees her on two platforms and in the console, breaks a platform, and mends it', {
  skip: skipWithoutBrowser,
}, async () => {
  const curls = codeBlocks('README.md', 'sh').filter(({ text }) => text.startsWith('curl'))
  const [push, find] = curls.map(({ text }) => text)
  assert.ok(push !== undefined && find !== undefined)
  const demo = await startDemo(['--token', token])
  const window = await openWindow(demo.ready.bridge)
  const { page } = window
  try {
    for (const platform of ['figshare', 'dspace'] as const) {
      assert.match(await type(push, demo.port, platform), /"state":"applied"/)
      assert.match(await type(find, demo.port, platform), /"totalResults":1/)
      const [account] = await viewOfDemo(demo.ready, platform).byEmail(email)
      assert.equal(account?.isOn, true, platform)
    }
    await signIn(page, demo.ready.consoleToken)
    await page.goto('/console/people?connection=dspace&q=ada')
    await page.getByRole('link', { name: 'Ada Lovelace' }).click()
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()

    const { dspace } = demo.ready.connections
    await fault(dspace, { mode: 'down' })
    const { id } = JSON.parse(await type(find, demo.port, 'dspace')).Resources[0]
    const answer = await fetch(`${dspace.scim}/Users/${id}`, {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: false }],
      }),
    })
    assert.equal(answer.status, 429)
    await page.goto('/console/operations?connection=dspace')
    await page.getByRole('link', { name: /^1 wait/ }).waitFor()

    await fault(dspace, { mode: 'ok' })
    await within(patience, 'the account is off', async () => {
      const [account] = await viewOfDemo(demo.ready, 'dspace').byEmail(email)
      return account?.isOn === false
    })
    await within(patience, 'nothing is unfinished', async () => {
      await page.reload()
      return (await page.getByText('Nothing is unfinished.').count()) === 1
    })
    assert.deepEqual(window.complaints, [])
  } finally {
    await window.close()
    await demo.stop()
  }
})
