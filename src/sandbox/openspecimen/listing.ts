/** `GET /users` and its count: substring search with live wildcards, and closed users hidden unless asked for. */
import type { SimulatorAnswer } from '../simulator.ts'
import { json } from './answers.ts'
import { listOf, numberOf } from './input.ts'
import { contains } from './like.ts'
import { isSuper } from './rights.ts'
import { type Installation, showSummary } from './show.ts'
import { systemLogin } from './signin.ts'
import type { OpenspecimenUser } from './state.ts'

type Test = (user: OpenspecimenUser) => boolean

/** Makes the answerer; it remembers how many lists it made, because equal names come in another order each time. */
export function createListing(installation: Installation) {
  const { state, knobs } = installation
  let lists = 0

  const rows = (caller: OpenspecimenUser, query: URLSearchParams, tests: readonly Test[]) => {
    const all = [...testsOf(installation, caller, query), ...tests]
    return [...state.users.values()].filter((user) => all.every((test) => test(user)))
  }

  return {
    list(caller: OpenspecimenUser, query: URLSearchParams): SimulatorAnswer {
      lists += 1
      const tie = (user: OpenspecimenUser) =>
        knobs.equalNames === 'unstable' ? (user.id * 2_654_435_761 + lists * 40_503) % 65_521 : user.id
      const found = rows(caller, query, grantTests(installation, query))
      found.sort(
        (a, b) => order(a.firstName, b.firstName) || order(a.lastName, b.lastName) || tie(a) - tie(b) || a.id - b.id,
      )
      const start = Math.max(0, numberOf(query, 'start', 0))
      const page = found.slice(start, start + Math.max(0, numberOf(query, 'maxResults', 100)))
      const withStats = query.get('includeStats') === 'true'
      return json(
        page.map((user) => ({
          ...showSummary(installation, user),
          ...(withStats ? { cpCount: user.roles.filter((role) => role.collectionProtocol !== undefined).length } : {}),
        })),
      )
    },
    count(caller: OpenspecimenUser, query: URLSearchParams): SimulatorAnswer {
      return json({ count: rows(caller, query, []).length })
    },
  }
}

function testsOf(installation: Installation, caller: OpenspecimenUser, query: URLSearchParams): Test[] {
  const { state } = installation
  const tests: Test[] = [(user) => user.activityStatus !== 'Disabled']
  if (query.get('includeSysUser') !== 'true') tests.push((user) => user.loginName !== systemLogin)

  const text = (name: string) => query.get(name) || undefined
  const searchString = text('searchString')
  const name = text('name')
  const loginName = text('loginName')
  const hasName = (user: OpenspecimenUser, part: string) =>
    contains(user.firstName, part) || contains(user.lastName, part)
  if (searchString !== undefined) tests.push((user) => hasName(user, searchString))
  if (searchString === undefined && name !== undefined) tests.push((user) => hasName(user, name))
  if (searchString === undefined && loginName !== undefined) tests.push((user) => contains(user.loginName, loginName))

  const institute = text('institute')
  if (institute !== undefined) tests.push((user) => user.instituteName === institute)
  const domainName = text('domainName')
  if (domainName !== undefined) tests.push((user) => user.domainName === domainName)
  const status = text('activityStatus')
  if (status === undefined) tests.push((user) => user.activityStatus !== 'Closed')
  else if (status.toLowerCase() !== 'all') tests.push((user) => user.activityStatus === status)
  if (query.get('listAll') === 'false' && !isSuper(caller)) {
    tests.push((user) => user.instituteName === caller.instituteName)
  }
  const type = text('type')
  if (type !== undefined) tests.push((user) => user.type === type)
  const excluded = new Set(listOf(query, 'excludeType'))
  if (excluded.size > 0) tests.push((user) => !excluded.has(user.type))
  const since = Date.parse(text('activeSince') ?? '')
  if (!Number.isNaN(since)) tests.push((user) => user.createdAt >= since)
  const groups = listOf(query, 'group').map((group) => state.groupByName(group))
  if (groups.length > 0) tests.push((user) => groups.some((group) => group?.users.has(user.id)))
  return tests
}

/** The filters that a count does not know. */
function grantTests({ directory }: Installation, query: URLSearchParams): Test[] {
  const tests: Test[] = []
  const site = query.get('site')
  if (site) tests.push((user) => user.roles.some((role) => role.site === undefined || role.site === site))
  const protocol = query.get('cp')
  if (protocol) {
    tests.push((user) =>
      user.roles.some((role) => role.collectionProtocol === undefined || role.collectionProtocol === protocol),
    )
  }
  const roles = new Set(listOf(query, 'role'))
  if (roles.size > 0) tests.push((user) => user.roles.some((role) => roles.has(role.role)))
  const resource = query.get('resource')
  const operations = listOf(query, 'op')
  if (resource) {
    tests.push((user) =>
      user.roles.some((role) =>
        directory.roles
          .get(role.role)
          ?.acl.some(
            (entry) =>
              entry.resource === resource && operations.every((operation) => entry.operations.includes(operation)),
          ),
      ),
    )
  }
  return tests
}

function order(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()]
  return left < right ? -1 : left > right ? 1 : 0
}
