import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { accessibilityProblems, closeBrowser, openWindow, signIn, skipWithoutBrowser, type Window } from './browser.ts'
import { type ConsoleWorld, operatorToken, startConsoleWorld } from './console-world.ts'

if (skipWithoutBrowser !== false) console.error(`NOT TESTED: ${skipWithoutBrowser}`)

/** With CONSOLE_SCREENSHOTS=1 the pictures of docs/console.md are made anew. */
const pictures = fileURLToPath(new URL('../../docs/console/', import.meta.url))
const makesPictures = process.env.CONSOLE_SCREENSHOTS === '1'

async function picture({ page }: Window, name: string): Promise<void> {
  if (!makesPictures) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), clip: { x: 0, y: 0, width: 1_100, height: 620 } })
}

const pictured = new Set(['overview', 'people', 'person', 'operations', 'requests', 'mapping'])
const ada = aUser({ name: { givenName: 'Ada', familyName: 'Lovelace' }, displayName: 'Ada Lovelace' })
const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'javascript:alert(1)',
  '{{7*7}}<%= 7*7 %>$${7*7}'.replace('$$', '$'),
  '</textarea></pre><svg onload=alert(1)>',
]

describe("the operator's pages in a browser", { skip: skipWithoutBrowser }, () => {
  let world: ConsoleWorld
  let adaId = ''
  let failedId = ''
  let groupId = ''
  before(async () => {
    world = await startConsoleWorld()
    const scim = world.scim('figshare')
    adaId = (await scim.post('/Users', ada)).body.id
    await scim.post('/Users', aUser({ name: { givenName: 'Grace', familyName: 'Hopper' } }))
    const made = await scim.post('/Groups', aGroup('Researchers', [adaId]))
    assert.equal(made.status, 201)
    groupId = made.body.id
    await scim.get('/Users?filter=userName%20eq%20%22nobody%22')
    world.sandbox.figshare.fault({ mode: '500' })
    const change = [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'ada@new.example' }]
    assert.equal((await scim.patch(`/Users/${adaId}`, change)).status, 429)
    failedId = adaId
  })
  after(async () => {
    await closeBrowser()
    await world.stop()
  })

  const pages = () => [
    ['overview', '/console'],
    ['people', '/console/people?connection=figshare'],
    ['person', `/console/people/figshare/${adaId}`],
    ['group', `/console/people/figshare/${groupId}`],
    ['confirm', `/console/people/figshare/${adaId}/adopt`],
    ['operations', '/console/operations?connection=figshare'],
    ['findings', '/console/findings?connection=figshare'],
    ['requests', '/console/requests?connection=figshare'],
    ['mapping', `/console/mapping?connection=figshare&person=${adaId}`],
    ['setup', '/console/setup?connection=figshare'],
  ]

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`are accessible and keep their own content policy, ${colorScheme}`, async () => {
      const window = await openWindow(world.url, { colorScheme })
      try {
        const { page, complaints } = window
        await page.goto('/console')
        assert.deepEqual(await accessibilityProblems(page), [])
        await signIn(page)
        for (const [name = '', path = ''] of pages()) {
          const answer = await page.goto(path)
          assert.equal(answer?.status(), 200, path)
          if (name === 'requests') await page.locator('details').first().locator('summary').click()
          assert.deepEqual(await accessibilityProblems(page), [], path)
          if (colorScheme === 'light' && pictured.has(name)) await picture(window, name)
        }
        await page.goto(`/console/people/figshare/${adaId}`)
        await page.getByRole('button', { name: 'Read the account again' }).click()
        await page.getByRole('status').filter({ hasText: 'Not read: Figshare could not be asked' }).waitFor()
        assert.deepEqual(await accessibilityProblems(page), [])
        assert.deepEqual(complaints, [])
      } finally {
        await window.close()
      }
    })
  }

  test('the accessibility check sees a field without a label, and the policy stops a script that got in', async () => {
    const window = await openWindow(world.url)
    try {
      const { page, complaints } = window
      await signIn(page)
      await page.evaluate(
        'document.querySelector("main").insertAdjacentHTML("beforeend", "<input><img src=x onerror=alert(1)>")',
      )
      assert.match((await accessibilityProblems(page)).join(), /label: <input>/)
      await eventually('the policy is kept', () => complaints.some((text) => /Content Security Policy/.test(text)))
      assert.ok(!complaints.some((text) => text.startsWith('dialog')))
    } finally {
      await window.close()
    }
  })

  test('an operator gets from the sign-in to a person and tries again, by keyboard alone', async () => {
    const window = await openWindow(world.url)
    try {
      const { page } = window
      await page.goto('/console')
      await page.keyboard.type(operatorToken)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content')
      await tabTo(window, 'People')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'People' }).waitFor()
      await tabTo(window, 'Ada Lovelace')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()
      await tabTo(window, 'Try again now')
      await page.keyboard.press('Enter')
      await page.getByLabel('Reason').focus()
      await page.keyboard.type('ticket 4711')
      world.sandbox.figshare.fault({ mode: 'ok' })
      await page.keyboard.press('Enter')
      await page.getByRole('status').filter({ hasText: 'Done: it is tried again now' }).waitFor()
      await eventually(
        'the operation is done',
        async () => (await world.scim('figshare').get(`/Users/${failedId}`)).body[provisioning].state === 'applied',
        () => world.clock.advance(1_000),
      )
      await page.reload()
      assert.match(await page.locator('#history ~ .scroll').innerText(), /action: retry why: ticket 4711/)
    } finally {
      await window.close()
    }
  })

  test('everything works without a script, too', async () => {
    const window = await openWindow(world.url, { javaScriptEnabled: false })
    try {
      const { page } = window
      await signIn(page)
      await page.getByRole('link', { name: 'People', exact: true }).click()
      await page.getByLabel('Name, userName').fill('hopper')
      await page.getByRole('button', { name: 'Search' }).click()
      assert.equal(await page.locator('tbody tr').count(), 1)
      await page.getByRole('link', { name: 'Grace Hopper' }).click()
      await page.getByRole('button', { name: 'Read the account again' }).click()
      assert.match(await page.getByRole('status').innerText(), /^Read from Figshare just now/)
      await page.goto(`/console/people/figshare/${adaId}`)
      await page.getByRole('link', { name: 'Researchers' }).click()
      await page.getByRole('heading', { name: 'Members: 1' }).waitFor()
      await page.goBack()
      await page.goto('/console/people?connection=figshare&q=hopper')
      await page.getByRole('link', { name: 'Grace Hopper' }).click()
      await page.getByRole('button', { name: 'Unlink the account' }).click()
      await page.getByLabel('Reason').fill('left by mistake')
      await page.getByRole('button', { name: 'Unlink the account' }).click()
      assert.match(await page.getByRole('status').innerText(), /^Done: account \d+ is no longer written/)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByLabel("Operator's token").waitFor()
    } finally {
      await window.close()
    }
  })

  test('people are found while their name is typed, where scripts run', async () => {
    const window = await openWindow(world.url)
    try {
      const { page, complaints } = window
      await signIn(page)
      await page.goto('/console/people?connection=figshare')
      await page.getByLabel('Name, userName').pressSequentially('lovelace')
      await page.locator('#found tbody tr').nth(1).waitFor({ state: 'detached' })
      assert.match(await page.locator('#found').innerText(), /Ada Lovelace/)
      assert.deepEqual(complaints, [])
    } finally {
      await window.close()
    }
  })

  test('hostile texts in every field of a person, a group and a search are shown as texts', async () => {
    const scim = world.scim('openspecimen')
    const groups: string[] = []
    for (const [index, text] of hostile.entries()) {
      const made = await scim.post('/Users', hostileUser(text, index))
      assert.ok([201, 400, 429].includes(made.status), JSON.stringify(made.body))
      const group = await scim.post('/Groups', aGroup(`${text}${index}`, made.status === 201 ? [made.body.id] : []))
      assert.equal(group.status, 201, JSON.stringify(group.body))
      groups.push(group.body.id)
      await scim.get(
        `/Users?filter=${encodeURIComponent(`userName eq "${text}`)}&attributes=${encodeURIComponent(text)}`,
      )
    }
    const users: { id: string }[] = (await scim.get('/Users')).body.Resources
    assert.ok(users.length > 0)
    const window = await openWindow(world.url)
    try {
      const { page, complaints } = window
      await signIn(page)
      const paths = users.flatMap(({ id }) => [
        `/console/people/openspecimen/${id}`,
        `/console/mapping?connection=openspecimen&person=${id}`,
      ])
      for (const id of groups) paths.push(`/console/people/openspecimen/${id}`)
      for (const text of hostile) {
        const word = encodeURIComponent(text)
        paths.push(`/console/people?connection=openspecimen&q=${word}`)
        paths.push(`/console/operations/cause?connection=openspecimen&state=failed&kind=${word}&message=${word}`)
        paths.push(`/console/operations/retry-cause?connection=openspecimen&kind=${word}&message=${word}`)
        paths.push(
          `/console/requests?connection=openspecimen&person=${word}&request=${word}&status=${word}&from=${word}`,
        )
      }
      paths.push('/console/people?connection=openspecimen', '/console/operations?connection=openspecimen')
      paths.push('/console/requests?connection=openspecimen', '/console')
      for (const path of paths) {
        const answer = await page.goto(path)
        assert.equal(answer?.status(), 200, path)
        const planted =
          'document.querySelectorAll("main script, main img, main svg:not(.chart), [onerror], [onload], [onmouseover], [href^=javascript]").length'
        assert.equal(await page.evaluate(planted), 0, path)
      }
      await page.goto(`/console/people/openspecimen/${users[0]?.id}`)
      assert.ok((await page.content()).includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
      assert.deepEqual(complaints, [])
    } finally {
      await window.close()
    }
  })
})

const provisioning = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'

/** As somebody would who has no mouse. */
async function tabTo({ page }: Window, text: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate('document.activeElement.textContent.trim()')) === text) return
  }
  assert.fail(`no way by keyboard to '${text}'`)
}

function aGroup(displayName: string, members: readonly string[]): JsonObject {
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  return { schemas, displayName, members: members.map((value) => ({ value })) }
}

function hostileUser(text: string, index: number): JsonObject {
  return aUser({
    externalId: `${text}${index}`,
    displayName: text,
    nickName: text,
    title: text,
    name: { givenName: text, familyName: text, formatted: text },
    userType: text,
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: text, organization: text },
  })
}
