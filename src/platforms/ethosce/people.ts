/** Reading people: each question costs one call for the users, and one more for the rows of each kind of all of them. */
import type { Call } from '../platform.ts'
import { type Authmap, authmap, type EthosceUser, type Profile, profile, user } from './answers.ts'
import type { Person } from './person.ts'
import type { Query, Site } from './site.ts'

/** How many values one question may carry: EthosCE's page of 100. */
const batch = 100

export interface People {
  /** `undefined` when there is certainly none: an empty list, where a page of a single user would be an HTML 404. */
  byUid(call: Call, uid: number): Promise<Person | undefined>
  /** As EthosCE compares: neither case nor accents nor spaces at the end count. */
  byName(call: Call, name: string): Promise<readonly Person[]>
  byMail(call: Call, mail: string): Promise<readonly Person[]>
  byAuthname(call: Call, authname: string): Promise<readonly Person[]>
  /** Only the user rows, for the question whether somebody else has a value. */
  usersWith(call: Call, property: 'name' | 'mail' | 'uid', value: string): Promise<readonly EthosceUser[]>
  authmapsWith(call: Call, property: 'authname' | 'uid', value: string): Promise<readonly Authmap[]>
  profilesOf(call: Call, uid: number): Promise<readonly Profile[]>
  /** How many there are, the anonymous user left out; `undefined` where the site does not tell. */
  count(call: Call): Promise<number | undefined>
  /** One page by uid, the anonymous user left out; `undefined` past the end. */
  page(call: Call, page: number): Promise<{ people: readonly Person[]; isLast: boolean } | undefined>
}

export function createPeople(site: Site, profileType: string): People {
  async function whole(call: Call, users: readonly EthosceUser[]): Promise<Person[]> {
    const people = new Map<number, { uid: number; user: EthosceUser; authmaps: Authmap[]; profiles: Profile[] }>()
    for (const row of users) {
      if (row.uid) people.set(row.uid, { uid: row.uid, user: row, authmaps: [], profiles: [] })
    }
    const uids = [...people.keys()].map(String)
    for (let from = 0; from < uids.length; from += batch) {
      const some = uids.slice(from, from + batch)
      for (const row of await site.all(call, 'authmap', authmap, oneOf('uid', some))) {
        people.get(row.uid)?.authmaps.push(row)
      }
      const query: Query = [...oneOf('user', some), ['type', profileType]]
      for (const row of await site.all(call, 'profile2', profile, query)) {
        people.get(row.user?.id ?? 0)?.profiles.push(row)
      }
    }
    return [...people.values()]
  }

  const usersWith: People['usersWith'] = async (call, property, value) => {
    // An empty value matches the anonymous user.
    if (value === '') return []
    return site.all(call, 'user', user, [[property, value]])
  }
  const authmapsWith: People['authmapsWith'] = async (call, property, value) =>
    value === '' ? [] : site.all(call, 'authmap', authmap, [[property, value]])

  return {
    async byUid(call, uid) {
      const rows = await usersWith(call, 'uid', String(uid))
      const [person] = await whole(
        call,
        rows.filter((row) => row.uid === uid),
      )
      return person
    },
    byName: async (call, name) => whole(call, await usersWith(call, 'name', name)),
    byMail: async (call, mail) => whole(call, await usersWith(call, 'mail', mail)),
    async byAuthname(call, authname) {
      const uids = new Set((await authmapsWith(call, 'authname', authname)).map((row) => row.uid))
      const users = []
      for (const uid of uids) {
        // A row may point at uid 0 or at nobody.
        if (uid > 0) users.push(...(await usersWith(call, 'uid', String(uid))))
      }
      return whole(call, users)
    },
    usersWith,
    authmapsWith,
    profilesOf: (call, uid) =>
      site.all(call, 'profile2', profile, [
        ['user', String(uid)],
        ['type', profileType],
      ]),
    async count(call) {
      const rows = await site.count(call, 'user')
      return rows === undefined ? undefined : rows - 1
    },
    async page(call, page) {
      const order: Query = [
        ['sort', 'uid'],
        ['direction', 'ASC'],
      ]
      const answer = await site.page(call, 'user', user, order, page)
      if (answer === undefined) return undefined
      return { people: await whole(call, answer.rows), isLast: answer.isLast }
    },
  }
}

/** `uid[0]=1&uid[1]=2` is IN; a single value is sent plainly, as all sites know it. */
function oneOf(property: string, values: readonly string[]): Query {
  const [only, ...others] = values
  if (only !== undefined && others.length === 0) return [[property, only]]
  return values.map((value, index) => [`${property}[${index}]`, value])
}
