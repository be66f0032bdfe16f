/** Bookroom as its documentation and an afternoon with its test site show it. Knows nothing of the module. */
import type { PlatformLogic, SimulatorAnswer } from '../../src/sandbox/simulator.ts'

interface Row {
  readonly id: number
  email: string
  name: string
  active: boolean
  roles: string[]
}
type Sent = Readonly<Record<string, unknown>>

export interface BookroomSimulator extends PlatformLogic {
  readonly credentials: { readonly apiKey: string }
  readonly rows: Map<number, Row>
  readonly knobs: {
    /** A new patron is mailed a welcome. When that fails the answer is 500, and the patron is there. */
    welcomeFails: boolean
    /** Names come from another system: a change is answered as if it were made. */
    keepsNames: boolean
  }
  /** By hand, without any check: twins are possible. */
  add(email: string, roles?: string[]): Row
  withdrawKey(): void
}

const roleNames = ['admin', 'librarian', 'volunteer']
const pageRows = 5

export function createBookroom(): BookroomSimulator {
  const credentials = { apiKey: 'bookroom-key' }
  const rows = new Map<number, Row>()
  const knobs = { welcomeFails: false, keepsNames: false }
  let isKeyGood = true
  let lastId = 100

  const add = (email: string, roles: string[] = []): Row => {
    const row = { id: ++lastId, email, name: 'Somebody', active: true, roles }
    rows.set(row.id, row)
    return row
  }
  const write = (row: Row, sent: Sent): void => {
    if (typeof sent.email === 'string') row.email = sent.email
    // The column has 80 characters; nobody is told.
    if (typeof sent.name === 'string') row.name = [...sent.name].slice(0, 80).join('')
    if (typeof sent.active === 'boolean') row.active = sent.active
  }
  /** A taken address is as invalid as a bad one. */
  const isBadEmail = (email: unknown, own?: Row): boolean =>
    typeof email !== 'string' ||
    !email.includes('@') ||
    [...rows.values()].some((row) => row !== own && row.email.toLowerCase() === email.toLowerCase())

  const list = (query: URLSearchParams): SimulatorAnswer => {
    const [part, after] = [query.get('email')?.toLowerCase() ?? '', Number(query.get('after') ?? 0)]
    const found = [...rows.values()].filter(({ id, email }) => id > after && email.toLowerCase().includes(part))
    const items = found.slice(0, pageRows)
    return json(200, { items, next: found.length > pageRows ? items.at(-1)?.id : null })
  }
  const create = (sent: Sent): SimulatorAnswer => {
    if (isBadEmail(sent.email)) return invalid('email')
    const row = add('')
    write(row, sent)
    return knobs.welcomeFails ? json(500, { error: 'mail' }) : json(201, { ...sent, id: row.id })
  }
  const change = (row: Row, sent: Sent): SimulatorAnswer => {
    if ('email' in sent && isBadEmail(sent.email, row)) return invalid('email')
    write(row, knobs.keepsNames ? { ...sent, name: row.name } : sent)
    return json(200, { ...sent, id: row.id })
  }
  const replaceRoles = (row: Row, { roles }: Sent): SimulatorAnswer => {
    if (!Array.isArray(roles) || roles.some((role) => !roleNames.includes(role))) return invalid('roles')
    row.roles = [...roles]
    return json(200, { roles })
  }
  const refuseCredentials = () => json(401, { error: 'unauthorized' })

  return {
    basePath: '/api',
    ...{ credentials, rows, knobs, add, refuseCredentials },
    withdrawKey: () => (isKeyGood = false),
    serverError: () => json(500, { error: 'internal' }),
    isWrite: ({ method }) => method !== 'GET',
    answer({ method, path, query, headers, body }) {
      if (!isKeyGood || headers.authorization !== `Bearer ${credentials.apiKey}`) return refuseCredentials()
      const call = `${method} ${path.replace(/\d+/, '{id}')}`
      if (call === 'GET /me') return json(200, { scopes: ['patrons:read', 'patrons:write'] })
      if (call === 'GET /roles') return json(200, roleNames)
      if (call === 'GET /patrons') return list(query)
      if (call === 'POST /patrons') return create(JSON.parse(body))
      const row = rows.get(Number(path.split('/')[2]))
      if (row !== undefined && call === 'GET /patrons/{id}') return json(200, row)
      if (row !== undefined && call === 'PATCH /patrons/{id}') return change(row, JSON.parse(body))
      if (row !== undefined && call === 'PUT /patrons/{id}/roles') return replaceRoles(row, JSON.parse(body))
      return json(404, { error: 'not_found' })
    },
  }
}

function json(status: number, value: unknown): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

const invalid = (field: string): SimulatorAnswer => json(400, { error: 'invalid', field })
