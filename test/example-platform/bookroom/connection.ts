import { z } from 'zod'
import { Absent, Broken, Denied, Fault, Refused } from '../../../src/errors.ts'
import type { Account, AccountId, Attributes, Grant, NamedByMapping } from '../../../src/facts.ts'
import { parseAnswer } from '../../../src/platforms/answer.ts'
import type { Client, PlatformRequest } from '../../../src/platforms/client.ts'
import { remainingChanges, requireWritten } from '../../../src/platforms/difference.ts'
import { refuseUnfit } from '../../../src/platforms/fitting.ts'
import { isRefusal } from '../../../src/platforms/leaving.ts'
import { inGrants, lookUp } from '../../../src/platforms/looking-up.ts'
import type { Call, Changes, PlatformConnection, ProbeStep } from '../../../src/platforms/platform.ts'
import { probeInOrder } from '../../../src/platforms/probing.ts'
import { refuseProtected } from '../../../src/platforms/protection.ts'
import { facts } from './facts.ts'
import { ask, type Patron, readPage, readPatron, toAccount } from './patrons.ts'

/** A search that lets through more pages than this is no search. */
const maxPages = 20

export function createConnection(client: Client): PlatformConnection {
  return {
    check: async (call) => void (await readScopes(client, call)),
    probe: (call, named) => probe(client, call, named),
    find: (call, attribute, value) => find(client, call, attribute, value),
    async read(call, id) {
      const found = await readPatron(client, call, id)
      return found && toAccount(found)
    },
    create: (call, attributes) => create(client, call, attributes),
    update: (call, before, changes) => update(client, call, before, changes),
    list: (call, cursor) => readPage(client, call, cursor),
    readGrants: async (call, id) => toGrants(await readThere(client, call, id)),
    writeGrants: (call, id, give, take) => writeGrants(client, call, id, give, take),
    close: () => client.close(),
  }
}

/** Bookroom searches for parts of an address: the rows are compared here. */
async function find(client: Client, call: Call, attribute: string, value: string): Promise<readonly Account[]> {
  if (attribute !== 'email') throw new Fault(`bookroom cannot find accounts by ${attribute}`)
  if (value === '') return []
  const isMeant = ({ attributes }: Account) => String(attributes.get('email')).toLowerCase() === value.toLowerCase()
  const found: Account[] = []
  let after: string | undefined
  for (let number = 1; number <= maxPages; number += 1) {
    const { accounts, next } = await readPage(client, call, after, value)
    found.push(...accounts.filter(isMeant))
    if (next === undefined) return found
    after = next
  }
  throw new Broken(`GET /patrons lets through more than ${maxPages} pages for one address`)
}

async function readThere(client: Client, call: Call, id: AccountId): Promise<Patron> {
  const found = await readPatron(client, call, id)
  if (found === undefined) throw new Absent(`account ${id} is gone`)
  return found
}

async function create(client: Client, call: Call, attributes: Attributes): Promise<Account> {
  const wanted = remainingChanges(facts, new Map(), attributes)
  refuseUnfit(facts, wanted, 'create')
  const request: PlatformRequest = { method: 'POST', path: ['patrons'], body: Object.fromEntries(wanted) }
  const answer = await ask(client, call, request, [201])
  const id = String(parseAnswer(z.object({ id: z.int() }), request, answer).id)
  await call.created(id)
  return readBack(client, call, id, wanted)
}

/** What Bookroom answers to a write is what it was sent: only reading tells what it holds. */
async function readBack(client: Client, call: Call, id: AccountId, written: Changes): Promise<Account> {
  const account = toAccount(await readThere(client, call, id))
  requireWritten(facts, account, written)
  return account
}

async function update(client: Client, call: Call, before: Account, changes: Changes): Promise<Account> {
  const wanted = remainingChanges(facts, before.attributes, changes)
  if (wanted.size === 0) return before
  refuseProtected(facts, before)
  try {
    await patch(client, call, before.id, wanted)
    return await readBack(client, call, before.id, wanted)
  } catch (error) {
    if (wanted.get('active') !== false || wanted.size === 1 || !isRefusal(error)) throw error
    // Whatever was refused beside it: somebody who leaves is switched off.
    const off = new Map([['active', false]])
    await patch(client, call, before.id, off)
    return readBack(client, call, before.id, off)
  }
}

async function patch(client: Client, call: Call, id: AccountId, changes: Changes): Promise<void> {
  refuseUnfit(facts, changes, 'change')
  const request: PlatformRequest = { method: 'PATCH', path: ['patrons', id], body: Object.fromEntries(changes) }
  const answer = await ask(client, call, request, [200, 404])
  if (answer.status === 404) throw new Absent(`account ${id} is gone`)
}

function toGrants({ roles }: Patron): readonly Grant[] {
  return roles.map((role) => ({ role }))
}

/** The list that is sent replaces the one that is there: it begins as read, so that roles given by hand survive. */
async function writeGrants(
  client: Client,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const given = give.map(({ role }) => String(role))
  const taken = take.map(({ role }) => String(role))
  if (given.includes('admin'))
    throw new Refused('role: admin is given in Bookroom only; drop it from groups.grants.', 'bookroom: role admin')
  const isDone = ({ roles }: Patron) =>
    given.every((role) => roles.includes(role)) && !taken.some((role) => roles.includes(role))
  const before = await readThere(client, call, id)
  if (isDone(before)) return toGrants(before)
  refuseProtected(facts, toAccount(before))
  const roles = [...new Set([...before.roles.filter((role) => !taken.includes(role)), ...given])]
  const request: PlatformRequest = { method: 'PUT', path: ['patrons', id, 'roles'], body: { roles } }
  await ask(client, call, request, [200])
  const after = await readThere(client, call, id)
  if (!isDone(after)) throw new Broken(`account ${id} was read back with other roles`)
  return toGrants(after)
}

async function readScopes(client: Client, call: Call): Promise<readonly string[]> {
  const request: PlatformRequest = { method: 'GET', path: ['me'] }
  const answer = await ask(client, call, request, [200])
  return parseAnswer(z.object({ scopes: z.array(z.string()) }), request, answer).scopes
}

function probe(client: Client, call: Call, named: NamedByMapping): Promise<readonly ProbeStep[]> {
  let scopes: readonly string[] = []
  return probeInOrder(call, [
    {
      name: 'API key',
      remedy: 'make an integration in Bookroom and put its key into settings.apiKey',
      async ask(asked) {
        scopes = await readScopes(client, asked)
        return `scopes ${scopes.join(', ')}`
      },
    },
    {
      name: 'right to write patrons',
      remedy: 'give the integration the scope patrons:write',
      async ask() {
        if (!scopes.includes('patrons:write')) throw new Denied('the API key may only read')
        return 'patrons may be written'
      },
    },
    {
      name: 'patrons',
      remedy: 'give the integration the scope patrons:read',
      ask: async (asked) => `${(await readPage(client, asked, undefined)).accounts.length} on the first page`,
    },
    ...lookUp({
      what: 'roles',
      names: inGrants(named.grants, 'role'),
      remedy: 'correct role in groups.grants, or add the role in Bookroom',
      async present(asked) {
        const request: PlatformRequest = { method: 'GET', path: ['roles'] }
        return new Set(parseAnswer(z.array(z.string()), request, await ask(client, asked, request, [200])))
      },
    }),
  ])
}
