import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen, removing } from './grants-world.ts'

interface Meeting {
  readonly bridge: FigshareBridge
  /** Of a group in which both are, or nobody. */
  readonly path: string
  /** Whose account somebody has taken away on the platform. */
  readonly vanished: string
  readonly other: string
  rolesOfOther(): string[]
  members(): Promise<string[]>
}

async function meet(t: TestContext, areIn: boolean): Promise<Meeting> {
  const bridge = await startFigshareBridge(t)
  const [ada, ben] = [aUser(), aUser()]
  const ids = [await made(bridge, ada), await made(bridge, ben)] as const
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ...(areIn ? ids : [])))
  bridge.world.sandbox.figshare.logic.removeAccount(Number(bridge.account(ada)?.id))
  const path = `/Groups/${body.id}`
  return {
    bridge,
    path,
    vanished: ids[0],
    other: ids[1],
    rolesOfOther: () => grantsSeen(bridge.world, 'figshare', emailOf(ben)),
    async members() {
      const { body: group } = await bridge.scim.get(path)
      return (group.members ?? []).map(({ value }: { value: string }) => value)
    },
  }
}

async function made({ scim }: FigshareBridge, user: ReturnType<typeof aUser>): Promise<string> {
  const { status, body } = await scim.post('/Users', user)
  assert.equal(status, 201)
  return body.id
}

test('a group to which somebody comes whose account has vanished is there: 400 names them, and who came with them is in', async (t) => {
  const { bridge, path, vanished, other, members, rolesOfOther } = await meet(t, false)
  const answer = await bridge.scim.patch(path, adding(vanished, other))
  assert.equal(answer.status, 400, answer.text)
  assert.equal(answer.body.scimType, 'invalidValue')
  assert.match(answer.body.detail, new RegExp(`members: not changed for ${vanished}: The account no longer exists`))
  assert.deepEqual(await members(), [other])
  assert.deepEqual(rolesOfOther(), ['110:49'])
  assert.equal((await bridge.scim.get(`/Users/${vanished}`)).status, 404)
})

test('somebody whose account has vanished has left the group when that is asked for', async (t) => {
  const { bridge, path, vanished, other, members, rolesOfOther } = await meet(t, true)
  const answer = await bridge.scim.patch(path, removing(vanished, other))
  assert.equal(answer.status, 204, answer.text)
  assert.deepEqual(await members(), [])
  assert.deepEqual(rolesOfOther(), [])
})

test('a group with a member whose account has vanished gets a name that gives more: who is there gets it', async (t) => {
  const { bridge, path, other, members, rolesOfOther } = await meet(t, true)
  const answer = await bridge.scim.patch(path, [{ op: 'replace', path: 'displayName', value: 'figshare-admins' }])
  assert.equal(answer.status, 204, answer.text)
  assert.deepEqual(await members(), [other])
  assert.deepEqual(rolesOfOther(), ['100:2', '110:49'])
})

test('a group with a member whose account has vanished is deleted', async (t) => {
  const { bridge, path, rolesOfOther } = await meet(t, true)
  const answer = await bridge.scim.delete(path)
  assert.equal(answer.status, 204, answer.text)
  assert.equal((await bridge.scim.get(path)).status, 404)
  assert.deepEqual(rolesOfOther(), [])
})

test('a new group with a member whose account has vanished is 400 and not made', async (t) => {
  const { bridge, vanished, other } = await meet(t, false)
  const group = aGroup('figshare-admins', vanished, other)
  const answer = await bridge.scim.post('/Groups', group)
  assert.equal(answer.status, 400, answer.text)
  assert.equal(answer.body.scimType, 'invalidValue')
  assert.equal((await bridge.scim.get('/Groups?filter=displayName eq "figshare-admins"')).body.totalResults, 0)
})
