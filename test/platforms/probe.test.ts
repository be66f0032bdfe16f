/** What a set-up probe says of service accounts that lack one right: in front of each simulator stands somebody who refuses one path. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import type { NamedByMapping } from '../../src/facts.ts'
import type { ProbeStep } from '../../src/platforms/platform.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { noPace, type ScriptedAnswer, type ScriptedServer, scriptedServer } from './scripted-server.ts'
import { aCall, nothingNamed } from './world.ts'

type Name = 'figshare' | 'ethosce' | 'openspecimen' | 'selfcommunity' | 'dspace'
let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox.close())

async function probed(
  name: Name,
  path: RegExp,
  answer: ScriptedAnswer | ((json: unknown) => ScriptedAnswer),
  settings: Record<string, unknown> = {},
  named: Partial<NamedByMapping> = {},
): Promise<{ steps: readonly ProbeStep[]; refusals: number; server: ScriptedServer }> {
  const { baseUrl, credentials } = sandbox[name]
  let refusals = 0
  const server = await scriptedServer(async (request) => {
    const isMeant = path.test(request.path + (request.query.size > 0 ? `?${request.query}` : ''))
    if (isMeant) refusals += 1
    if (isMeant && typeof answer !== 'function') return answer
    const query = request.query.size > 0 ? `?${request.query}` : ''
    const headers: Record<string, string> = {}
    for (const [header, value] of Object.entries(request.headers)) {
      if (typeof value === 'string' && !['host', 'connection', 'content-length'].includes(header))
        headers[header] = value
    }
    const real = await fetch(`${baseUrl}${request.path}${query}`, {
      method: request.method,
      headers,
      ...(request.text === '' ? {} : { body: request.text }),
    })
    const text = await real.text()
    const json: unknown = text === '' ? undefined : JSON.parse(text)
    if (isMeant && typeof answer === 'function') return answer(json)
    const kept = ['authorization', 'dspace-xsrf-token'].flatMap((header) => {
      const value = real.headers.get(header)
      return value === null ? [] : [[header, value] as const]
    })
    const cookies = real.headers.getSetCookie()
    return {
      status: real.status,
      headers: { ...Object.fromEntries(kept), ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) },
      json,
    }
  })
  const platform = platforms.get(name)
  if (platform === undefined) throw new Error('no such platform')
  const connection = platform.connect(
    { ...credentials, ...settings },
    { client: { baseUrl: server.baseUrl, pace: noPace }, clock: systemClock },
  )
  try {
    return { steps: await connection.probe(aCall(), { ...nothingNamed, ...named }), refusals, server }
  } finally {
    await connection.close()
    await server.close()
  }
}

const brief = (steps: readonly ProbeStep[]) => steps.map(({ name, result }) => `${name} ${result}`)

test('a Figshare token that may not administer the institution', async () => {
  const { steps } = await probed('figshare', /\/account\/institution$/, { status: 403, json: { message: 'no' } })
  assert.deepEqual(brief(steps), [
    'token ok',
    'institution failed',
    'accounts skipped',
    'groups skipped',
    'roles skipped',
    'reach of the token skipped',
  ])
  assert.match(steps[1]?.remedy ?? '', /use an administrator’s token/)
})

test('a Figshare token of one group works, with a warning that the others would look absent', async () => {
  const { steps } = await probed('figshare', /\/institution\/roles\/\d+$/, { json: { '999': [{ id: 2 }] } })
  assert.deepEqual(brief(steps).slice(-1), ['reach of the token warning'])
  assert.match(steps.at(-1)?.remedy ?? '', /one group only, and everybody else would look absent/)
})

test('a Figshare token that may not list roles works without them', async () => {
  const { steps } = await probed('figshare', /\/institution\/roles$/, { status: 403, json: { message: 'no' } })
  assert.deepEqual(brief(steps).slice(-2), ['roles warning', 'reach of the token ok'])
})

test('an EthosCE service account without the right to administer users, which is refused once only', async () => {
  const { steps, server } = await probed('ethosce', /^\/user\.json\?mail=/, { status: 403, html: 'Access denied' })
  assert.deepEqual(brief(steps), [
    'service account ok',
    'right to find by e-mail failed',
    'single sign-on rows skipped',
    'profiles skipped',
    'comparisons skipped',
  ])
  assert.equal(server.requests.length, 2)
  assert.match(steps[1]?.remedy ?? '', /"administer users"/)
})

test('an OpenSpecimen service account that is not SUPER', async () => {
  const { steps } = await probed('openspecimen', /\/users\/current-user$/, {
    json: { id: 2, type: 'INSTITUTE', admin: false },
  })
  assert.equal(brief(steps)[0], 'sign-in warning')
  assert.match(steps[0]?.remedy ?? '', /type SUPER/)
})

test('an OpenSpecimen institute of user groups that there is not', async () => {
  const userGroups = { institute: 'Nowhere' }
  const { steps } = await probed('openspecimen', /^nothing$/, {}, { userGroups })
  assert.deepEqual(brief(steps).slice(-2), ['user groups ok', 'institute of user groups failed'])
  const right = await probed('openspecimen', /^nothing$/, {}, { userGroups: { institute: 'Example University' } })
  assert.deepEqual(brief(right.steps).slice(-1), ['institute of user groups ok'])
})

test('a SelfCommunity service user who does not moderate', async () => {
  const { steps } = await probed('selfcommunity', /\/moderation\/user\/\?/, { status: 403, json: { errors: [] } })
  assert.deepEqual(brief(steps), [
    'service user ok',
    'right to administrate ok',
    'right to moderate failed',
    'tags skipped',
    'single sign-on rows skipped',
  ])
  assert.match(steps[2]?.remedy ?? '', /without it nobody can be switched off/)
})

test('a DSpace service account that is no administrator, and a flavour that is another one', async () => {
  const { steps } = await probed('dspace', /\/eperson\/groups\?size/, { status: 403, json: {} }, { flavour: 'cris' })
  assert.deepEqual(brief(steps), ['version warning', 'log-in ok', 'administrator failed'])
  assert.match(steps[0]?.seen ?? '', /DSpace \d.* \(dspace\)/)
  assert.match(steps[0]?.remedy ?? '', /settings\.flavour says cris: take it out, or write dspace/)
  assert.match(steps[2]?.remedy ?? '', /member of the group Administrator/)
})

test('a DSpace role group that there is not', async () => {
  const { steps } = await probed('dspace', /^nothing$/, {}, { roleGroups: ['COLLECTION_9_ADMIN', 'Administrator'] })
  assert.deepEqual(brief(steps).slice(-2), ['group COLLECTION_9_ADMIN warning', 'group Administrator ok'])
})

test('the address of a user interface instead of the REST address', async () => {
  const { steps } = await probed('dspace', /^\/api$/, { html: '<!DOCTYPE html><html></html>' })
  assert.deepEqual(brief(steps), ['version failed', 'log-in skipped', 'administrator skipped'])
  assert.match(steps[0]?.remedy ?? '', /which ends in \/server/)
})
