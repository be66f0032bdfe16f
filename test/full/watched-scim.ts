/** A SCIM client that holds every answer against the invariants that speak of answers, and then looks at everything. */
import assert from 'node:assert/strict'
import type { Response } from 'supertest'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import type { ScimClient } from '../bridge-world.ts'
import { assertInvariants } from './invariants.ts'
import { type StoreView, viewStore } from './store-view.ts'
import type { Watch } from './watch.ts'

export interface WatchedScim {
  post(body: JsonObject): Promise<Response>
  put(id: string, body: JsonObject): Promise<Response>
  patch(id: string, operations: unknown): Promise<Response>
  delete(id: string): Promise<Response>
  postGroup(body: JsonObject): Promise<Response>
  patchGroup(id: string, operations: unknown): Promise<Response>
  deleteGroup(id: string): Promise<Response>
}

/** One request at a time: an answer is compared with what the store said before and says after it. */
export function watchedScim(watch: Watch, platform: DemoPlatform, scim: () => ScimClient): WatchedScim {
  const look = () => viewStore(watch.world.directory, platform, Number.MAX_SAFE_INTEGER)
  const ask = async (send: () => PromiseLike<Response>, idOf: (store: StoreView) => string | undefined) => {
    const before = look()
    const answer = await send()
    const after = look()
    const id = idOf(after) ?? idOf(before)
    assertAnswer(answer, before, after, id, watch.options.mode ?? 'confirmed')
    assertInvariants(watch)
    return answer
  }
  const askGroup = async (send: () => PromiseLike<Response>, idOf: (store: StoreView) => string | undefined) => {
    const before = look()
    const answer = await send()
    assertGroupAnswer(answer, before, look(), idOf, watch.options.mode ?? 'confirmed')
    assertInvariants(watch)
    return answer
  }
  const named = (userName: unknown) => (store: StoreView) => {
    const key = String(userName).toLowerCase()
    return store.resources.find(({ document }) => String(document.userName).toLowerCase() === key)?.id
  }
  return {
    post: (body) => ask(() => scim().post('/Users', body), named(body.userName)),
    put: (id, body) =>
      ask(
        () => scim().put(`/Users/${id}`, body),
        () => id,
      ),
    patch: (id, operations) =>
      ask(
        () => scim().patch(`/Users/${id}`, operations),
        () => id,
      ),
    delete: (id) =>
      ask(
        () => scim().delete(`/Users/${id}`),
        () => id,
      ),
    postGroup: (body) =>
      askGroup(
        () => scim().post('/Groups', body),
        (store) => store.groups.find(({ name }) => name === body.displayName)?.id,
      ),
    patchGroup: (id, operations) =>
      askGroup(
        () => scim().patch(`/Groups/${id}`, operations),
        () => id,
      ),
    deleteGroup: (id) =>
      askGroup(
        () => scim().delete(`/Groups/${id}`),
        () => id,
      ),
  }
}

const finalRefusals = [400, 404, 409, 412]

/** What is true of every answer. */
export function assertShape({ status, headers, text }: Pick<Response, 'status' | 'headers' | 'text'>): void {
  const known = [200, 201, 204, 429, 500, 503, ...finalRefusals]
  assert.ok(known.includes(status), `invariant 12: the answer is ${status} ${text}`)
  if (status !== 204) assert.match(String(headers['content-type']), /^application\/scim\+json/)
  if (status !== 429 && status !== 503) return
  const seconds = Number(headers['retry-after'])
  assert.ok(Number.isInteger(seconds) && seconds >= 5 && seconds <= 3_600, `Retry-After: ${headers['retry-after']}`)
}

function assertGroupAnswer(
  answer: Response,
  before: StoreView,
  after: StoreView,
  idOf: (store: StoreView) => string | undefined,
  mode: 'confirmed' | 'deferred',
): void {
  const { status, text } = answer
  assertShape(answer)
  if (mode === 'deferred') return
  const former = before.groups.find(({ id }) => id === idOf(before))
  const present = after.groups.find(({ id }) => id === idOf(after))
  if (status >= 200 && status < 300) {
    const members = new Set([...(former?.members ?? []), ...(present?.members ?? [])])
    const earlier = new Set(before.operations.map(({ id }) => id))
    const mine = answer.headers['x-request-id']
    // Another group that gets on the platform meanwhile is another request's concern.
    const asked = after.operations.filter(
      ({ id, about, requestId }) => about !== 'account' && !earlier.has(id) && requestId === mine,
    )
    const unfinished = asked.filter(({ resourceId }) => resourceId === present?.id || members.has(resourceId))
    assert.deepEqual(unfinished, [], `invariant 3: ${status}, and something is unfinished`)
  }
  if (!finalRefusals.includes(status)) return
  if (isMadeButForGrants(text)) {
    const left = after.operations.filter(({ about }) => about === 'grants' || about === 'both')
    assert.ok(left.length > 0, `invariant 3: ${status}, and what was refused is not kept: ${text}`)
    return
  }
  if (status === 404) assert.ok(former?.isVisible !== true, `invariant 12: 404 for a group that is there: ${text}`)
  // Asked for before, and seen by nobody yet: it may be gone.
  else if (former?.isVisible !== false) {
    // Whose deletion was finished meanwhile is a member no more.
    const isThere = new Set(after.resources.map(({ id }) => id))
    assert.deepEqual(
      present?.members,
      former?.members.filter((id) => isThere.has(id)),
      `invariant 3: ${status} is final, and the members were changed`,
    )
    const back = [former?.text, ...earlierStates(before, former?.id)]
    assert.ok(back.includes(present?.text), `invariant 3: ${status} is final, and the group was changed`)
  }
}

/** Said to the identity provider: the group itself is as asked. */
function isMadeButForGrants(text: string): boolean {
  return /the group is (as asked|deleted), but/.test(text)
}

/** Where the refusal of a change leads that takes the place of one which nobody has confirmed. */
function earlierStates({ operations }: StoreView, id: string | undefined): readonly (string | undefined)[] {
  const earlier = operations.find(({ resourceId, about }) => resourceId === id && about !== 'grants')
  return earlier === undefined ? [] : [earlier.before]
}

function assertAnswer(
  { status, headers, text }: Response,
  before: StoreView,
  after: StoreView,
  id: string | undefined,
  mode: 'confirmed' | 'deferred',
): void {
  assertShape({ status, headers, text })
  const earlierIds = new Set(before.operations.map((one) => one.id))
  // A walk in the background may ask for something just after the answer.
  const operation = after.operations.find(
    (one) => one.resourceId === id && (earlierIds.has(one.id) || !one.requestId.startsWith('reconcile ')),
  )
  const resource = after.resources.find((one) => one.id === id)
  const link = after.links.find(({ resourceId }) => resourceId === id)
  if (status === 429 || status === 503) return
  // The memberships of a user are the concern of requests about groups: their work goes on at any time.
  const isGroupsConcern = operation?.about === 'grants'
  if (status >= 200 && status < 300) {
    if (mode === 'deferred') return
    if (!isGroupsConcern || status === 204)
      assert.equal(operation, undefined, `invariant 3: ${status}, and something is unfinished`)
    if (status === 204) assert.equal(resource, undefined, 'invariant 3: 204, and the user is there')
    else assert.ok(link?.state === 'live', `invariant 3: ${status}, and the link is ${link?.state}`)
    return
  }
  const former = before.resources.find((one) => one.id === id)
  if (status === 404) {
    const isGone = link?.state === 'tombstone' && resource === undefined
    assert.ok(
      former === undefined || !former.isVisible || isGone,
      `invariant 12: 404 for somebody who is there: ${text}`,
    )
    return
  }
  if (!finalRefusals.includes(status) || mode === 'deferred') return
  // Made by the very create that was refused, and seen by nobody: the account goes, and the user with it.
  const isEnding = resource?.isVisible === false && operation?.kind === 'delete'
  const back = [former?.text, ...earlierStates(before, id)]
  assert.ok(isEnding || back.includes(resource?.text), `invariant 3: ${status} is final, and the user was changed`)
  if (operation === undefined || operation.isDeprovisioning || isGroupsConcern) return
  // Nothing of what was refused: the account is brought to what is stored once more.
  if (operation.before !== undefined && operation.before === resource?.text) return
  const earlier = before.operations.find(({ resourceId }) => resourceId === id)
  const { about, kind, state } = operation
  const left = `${kind} about ${about}, ${state}; before: ${earlier?.kind} about ${earlier?.about}, ${earlier?.state}`
  assert.equal(operation.id, earlier?.id, `invariant 3: ${status} is final, and goes on (${left})`)
}
