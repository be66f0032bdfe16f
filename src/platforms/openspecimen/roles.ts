/** Grants: the roles of a person, each for one site and protocol or for all. */
import { Broken, Immutable, PlatformError } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { type SubjectRole, subjectRoles } from './answers.ts'
import { toError } from './refusals.ts'
import type { SignedIn } from './sign-in.ts'

/** Assignments that provisioning may see: the "Administrator" of an institute's administrator belongs to the type. */
async function readAssignments(signedIn: SignedIn, call: Call, id: AccountId): Promise<readonly SubjectRole[]> {
  const request: PlatformRequest = { method: 'GET', path: ['rbac', 'subjects', id, 'roles'] }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  return parseAnswer(subjectRoles, request, answer).filter((assignment) => assignment.systemRole !== true)
}

function toGrant(assignment: SubjectRole): Grant {
  const protocol = assignment.collectionProtocol?.shortTitle ?? assignment.collectionProtocol?.title
  return {
    role: assignment.role.name,
    ...(assignment.site ? { site: assignment.site.name } : {}),
    ...(protocol ? { collectionProtocol: protocol } : {}),
  }
}

/** Names are compared ignoring case, as most of its databases do: else a repeated grant would become a second row. */
function keyOf(grant: Grant): string {
  return JSON.stringify([grant.role, grant.site, grant.collectionProtocol]).toLowerCase()
}

const readAhead = createReadAhead<readonly SubjectRole[]>()

export async function readRoles(signedIn: SignedIn, call: Call, id: AccountId): Promise<readonly Grant[]> {
  const grants = new Map<string, Grant>()
  for (const assignment of readAhead.keep(call, id, await readAssignments(signedIn, call, id))) {
    const grant = toGrant(assignment)
    grants.set(keyOf(grant), grant)
  }
  return [...grants.values()]
}

export async function writeRoles(
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const before = await readAhead.take(call, id, () => readAssignments(signedIn, call, id))
  if (id === signedIn.ownId)
    throw new Immutable("The account is the bridge's own and cannot be given roles.", `roles of own account ${id}`)
  const held = new Set(before.map((assignment) => keyOf(toGrant(assignment))))
  const missing = new Map(give.map((grant) => [keyOf(grant), grant] as const).filter(([key]) => !held.has(key)))
  const unwanted = new Set(take.map(keyOf).filter((key) => held.has(key)))
  if (missing.size === 0 && unwanted.size === 0) return distinctGrants(before)
  await giveAll(signedIn, call, id, before, [...missing.values()])
  for (const assignment of before) {
    if (unwanted.has(keyOf(toGrant(assignment)))) await removeAssignment(signedIn, call, id, assignment)
  }
  const after = await readAssignments(signedIn, call, id)
  const now = new Set(after.map((assignment) => keyOf(toGrant(assignment))))
  if ([...missing.keys()].some((key) => !now.has(key)) || [...unwanted].some((key) => now.has(key)))
    throw new Broken(`roles of account ${id} were read back otherwise than written`)
  return distinctGrants(after)
}

function distinctGrants(assignments: readonly SubjectRole[]): readonly Grant[] {
  return [...new Map(assignments.map((assignment) => [keyOf(toGrant(assignment)), toGrant(assignment)])).values()]
}

/** All or none: when one is refused, those just given are taken back, so that the old set stays whole. */
async function giveAll(
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  before: readonly SubjectRole[],
  missing: readonly Grant[],
): Promise<void> {
  let given = 0
  try {
    for (const grant of missing) {
      const request: PlatformRequest = { method: 'POST', path: ['rbac', 'subjects', id, 'roles'], body: toBody(grant) }
      const answer = await signedIn.send(call, request)
      if (answer.status !== 200) throw toError(request, answer)
      given++
    }
  } catch (error) {
    if (given > 0 && error instanceof PlatformError && error.kind === 'refused') {
      const known = new Set(before.map((assignment) => assignment.id))
      const wanted = new Set(missing.slice(0, given).map(keyOf))
      for (const assignment of await readAssignments(signedIn, call, id)) {
        if (!known.has(assignment.id) && wanted.has(keyOf(toGrant(assignment))))
          await removeAssignment(signedIn, call, id, assignment)
      }
    }
    throw error
  }
}

function toBody(grant: Grant) {
  return {
    role: { name: grant.role },
    ...(grant.site === undefined ? {} : { site: { name: grant.site } }),
    ...(grant.collectionProtocol === undefined ? {} : { collectionProtocol: { shortTitle: grant.collectionProtocol } }),
  }
}

async function removeAssignment(signedIn: SignedIn, call: Call, id: AccountId, assignment: SubjectRole): Promise<void> {
  const path = ['rbac', 'subjects', id, 'roles', String(assignment.id)]
  const request: PlatformRequest = { method: 'DELETE', path }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
}
