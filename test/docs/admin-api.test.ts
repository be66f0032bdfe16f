import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemRules } from '../../src/admin/problems.ts'
import { startAdminWorld } from '../admin/admin-world.ts'
import { aUser } from '../bridge-world.ts'
import { run } from '../cli/processes.ts'
import { codeBlocks, pageText } from './code-blocks.ts'

test('the commands of docs/admin-api.md work as they are written', async (t) => {
  const world = await startAdminWorld()
  t.after(() => world.stop())
  const scim = world.scim('figshare')
  const { id } = (await scim.post('/Users', aUser({ userName: 'ada@uni.example' }))).body
  world.sandbox.figshare.fault({ mode: 'down' })
  await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }])
  const answers: ReturnType<typeof JSON.parse>[] = []
  const commands = codeBlocks('docs/admin-api.md', 'sh').flatMap(({ text }) => text.trim().split(/\n(?=curl)/))
  for (const command of commands) {
    const here = command.replaceAll('https://scim.uni.example', world.url).replaceAll('/library', '/figshare')
    const { status, stdout } = await run('sh', ['-c', here], { environment: { TOKEN: world.token('operate') } })
    assert.equal(status, 0, command)
    const answer = JSON.parse(stdout)
    assert.equal(answer.code, undefined, `${command}: ${stdout}`)
    answers.push(answer)
  }
  const [connections, alarms, causes, operations, people, person, requests, findings, ...done] = answers
  assert.equal(connections.items[0].name, 'figshare')
  assert.deepEqual([alarms.items, findings.items], [[], []])
  assert.equal(causes.items[0].errorKind, 'unknown')
  assert.equal(operations.items[0].resourceId, id)
  assert.equal(people.items[0].userName, 'ada@uni.example')
  assert.equal(person.id, id)
  assert.equal(requests.items[0].status, 429)
  assert.deepEqual(
    done.map(({ action }) => action),
    ['retry_cause', 'hold', 'release', 'resume', 'reapply_all', 'reconcile'],
  )
})

test('docs/admin-api.md says what to do about every problem, in the words of the answer', () => {
  const rows = [...pageText('docs/admin-api.md').matchAll(/^\| (\d{3}) \| `(\w+)` \| (.+) \|$/gm)]
  assert.deepEqual(
    rows.map(([, status, code, whatToDo]) => [Number(status), code, whatToDo]),
    [...problemRules].map(([code, { status, whatToDo }]) => [status, code, whatToDo]),
  )
})
