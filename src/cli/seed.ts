import type { SeedPerson } from '../sandbox/simulator.ts'
import { enterpriseUrn, provisioningUrn, userUrn } from '../scim/attribute.ts'
import { newResourceId } from '../store/resource-id.ts'
import type { Link, NewResource } from '../store/store.ts'

/** People of `--seed-users`: `seed<i>@example.org`, i = 0 … count − 1. */
export function* seedPeople(count: number): Generator<SeedPerson> {
  for (let index = 0; index < count; index += 1) {
    yield {
      userName: `seed${index}@example.org`,
      email: `seed${index}@example.org`,
      givenName: `Given${index}`,
      familyName: `Family${index}`,
      title: 'Researcher',
      department: 'Physics',
    }
  }
}

/** Their users as the bridge would have stored them, each linked to its account. */
export function* seedUsers(
  connection: string,
  accountIds: readonly number[],
  now: string,
): Generator<{ resource: NewResource; link: Link }> {
  let index = 0
  for (const person of seedPeople(accountIds.length)) {
    const accountId = String(accountIds[index])
    index += 1
    // One a millisecond, as if they had come one after the other.
    const id = newResourceId(Date.parse(now) - accountIds.length + index)
    const document = {
      schemas: [userUrn, enterpriseUrn, provisioningUrn],
      id,
      userName: person.userName,
      name: { familyName: person.familyName, givenName: person.givenName },
      title: person.title,
      active: true,
      emails: [{ value: person.email, type: 'work', primary: true }],
      [enterpriseUrn]: { department: person.department },
    }
    yield {
      resource: {
        type: 'User',
        id,
        json: JSON.stringify(document),
        keys: { userName: person.userName, active: true, emails: [{ value: person.email, type: 'work' }] },
        visible: true,
        now,
      },
      link: {
        connection,
        resourceId: id,
        state: 'live',
        accountId,
        applied: undefined,
        lastAppliedAt: now,
        drift: [],
        wasFlushed: true,
        userName: person.userName,
        externalId: undefined,
        deletedAt: undefined,
        invitedAt: undefined,
        invitations: 0,
        grants: [],
        unlinkedAccountId: undefined,
      },
    }
  }
}
