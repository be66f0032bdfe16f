/**
 * The SCIM library as it comes, as its documentation shows it, over users in a map: what a bridge without an engine of its
 * own would cost before it has stored or provisioned anything. It shows of each what the bridge shows: times and version, and
 * what has become of the account. Arguments: how many users, how many members of the group.
 */
import express from 'express'
import SCIMMY from 'scimmy'
import { SCIMMYRouters } from 'scimmy-routers'
import { seedPeople } from '../../src/cli/seed.ts'

const [count = 0, members = 0] = process.argv.slice(2).map(Number)

type Stored = Record<string, unknown>

/** The library takes names of its own namespace only. */
const provisioningUrn = 'urn:ietf:params:scim:schemas:extension:provisioning:1.0:User'
const now = new Date().toISOString()
const users = new Map<string, Stored>()
const groups = new Map<string, Stored>()
for (const { userName, givenName, familyName, email, title, department } of seedPeople(count)) {
  const id = String(users.size)
  users.set(id, {
    id,
    userName,
    name: { givenName, familyName },
    title,
    active: true,
    emails: [{ value: email, type: 'work', primary: true }],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department },
    [provisioningUrn]: { state: 'applied', accountId: String(1_000_000 + users.size), lastAppliedAt: now },
    meta: { created: now, lastModified: now, version: 'W/"1"' },
  })
}
groups.set('0', {
  id: '0',
  displayName: 'group',
  members: Array.from({ length: members }, (_, index) => ({ value: String(index), type: 'User' })),
})

interface Asked {
  readonly id?: string
  readonly filter?: { match(values: Stored[]): Stored[] }
}

/** As far as it is used here; the library's own types want its schema objects. */
interface Declared {
  ingress(work: (asked: Asked, instance: Stored) => unknown): Declared
  egress(work: (asked: Asked) => unknown): Declared
  degress(work: (asked: Asked) => unknown): Declared
}

function serve(declared: Declared, stored: Map<string, Stored>): void {
  declared
    .ingress(({ id = String(stored.size) }, instance) => {
      const next = { ...JSON.parse(JSON.stringify(instance)), id }
      stored.set(id, next)
      return next
    })
    .egress(({ id, filter }) => {
      if (id !== undefined) {
        const found = stored.get(id)
        if (found === undefined) throw new Error('not found')
        return found
      }
      const all = [...stored.values()]
      return filter === undefined ? all : filter.match(all)
    })
    .degress(({ id = '' }) => {
      stored.delete(id)
    })
}
const { Attribute, SchemaDefinition } = SCIMMY.Types
const text = (name: string) => new Attribute('string', name)
const provisioning = new SchemaDefinition('Provisioning', provisioningUrn, 'The account on the platform', [
  text('state'),
  text('accountId'),
  new Attribute('dateTime', 'lastAppliedAt'),
])
const { User, Group } = SCIMMY.Resources as unknown as Record<'User' | 'Group', typeof SCIMMY.Types.Resource>
const declared = SCIMMY.Resources.declare(User).extend(SCIMMY.Schemas.EnterpriseUser, false)
serve(declared.extend(provisioning, false) as unknown as Declared, users)
serve(SCIMMY.Resources.declare(Group) as unknown as Declared, groups)

const app = express().disable('x-powered-by')
app.use('/', new SCIMMYRouters({ type: 'bearer', handler: () => 'bench' }))
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
})
// The bench comes back after measuring something else; a socket that ends meanwhile would fail its next request.
server.keepAliveTimeout = 600_000
