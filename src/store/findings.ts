import { sql } from './kysely.ts'
import { linkColumns } from './reads.ts'
import { type LinkRow, parseTexts, toLink } from './rows.ts'
import type { Sealer } from './sealing.ts'
import { atMost, type Dialect, listRows, listValue, type Run, statement } from './statement.ts'
import type { Link, Operation } from './store.ts'
import type { Finding, HeldAccount, Remedy, Situation, WalkReader, WalkWriter } from './walk-store.ts'

interface FindingRow {
  readonly account_id: string
  readonly situation: Situation
  readonly resource_id: string | null
  readonly attributes: string
  readonly other_accounts: string
  readonly other_resources: string
  readonly remedy: Remedy | null
  readonly done: string | null
}

interface HeldRow {
  readonly account_id: string
  readonly resource_id: string
  readonly last_applied_at: string | null
  readonly json: string | null
  readonly operation_state: Operation['state'] | null
}

/** More accounts for one resource than anybody wants to read of. */
const rivalsShown = sql.raw('20')

const columns = sql.raw('account_id, situation, resource_id, attributes, other_accounts, other_resources, remedy, done')
const heldColumns = sql.raw(
  'link.account_id, link.resource_id, link.last_applied_at, resource.json, operation.state as operation_state',
)
const heldTables = sql.raw(
  'link left join resource on resource.connection = link.connection and resource.id = link.resource_id ' +
    'left join operation on operation.connection = link.connection and operation.resource_id = link.resource_id',
)

export function createFindingReads(dialect: Dialect): (run: Run) => Pick<WalkReader, 'findings' | 'countFindings'> {
  const texts = readStatements(dialect)
  return (run) => ({
    async findings(connection, walk, { situation, isOpen = false, afterAccount, limit }) {
      const place = { connection, walk, afterAccount, limit }
      const query = isOpen
        ? texts.open(place)
        : situation === undefined
          ? texts.all(place)
          : texts.ofSituation({ ...place, situation })
      const { rows } = await run(query)
      return rows.map((row) => toFinding(run.sealer, connection, walk, row))
    },
    async countFindings(connection, walk) {
      const { rows } = await run(texts.count({ connection, walk }))
      return Object.fromEntries(rows.map((row) => [row.situation, row.count]))
    },
  })
}

type Writes = Pick<
  WalkWriter,
  | 'putFinding'
  | 'metAccounts'
  | 'findingsOfResource'
  | 'heldAccounts'
  | 'tombstonesOf'
  | 'letGoBy'
  | 'missingAccounts'
  | 'proposedDocuments'
>

export function createFindingWrites(dialect: Dialect): (run: Run) => Writes {
  const texts = writeStatements(dialect)
  return (run) => ({
    async putFinding(connection, walk, finding) {
      await run.tell(
        texts.put({
          connection,
          walk,
          accountId: finding.accountId,
          situation: finding.situation,
          resourceId: finding.resourceId ?? null,
          attributes: JSON.stringify(finding.attributes),
          otherAccounts: JSON.stringify(finding.otherAccounts),
          otherResources: JSON.stringify(finding.otherResources),
          remedy: finding.remedy ?? null,
          done: run.sealer.seal('finding.done', [connection, String(walk), finding.accountId], finding.done ?? null),
        }),
      )
    },
    async metAccounts(connection, walk, accountIds) {
      const { rows } = await run(texts.met({ connection, walk, ids: listValue(accountIds) }))
      return new Set(rows.map((row) => row.account_id))
    },
    async findingsOfResource(connection, walk, resourceId) {
      const { rows } = await run(texts.ofResource({ connection, walk, resourceId }))
      return rows.map((row) => toFinding(run.sealer, connection, walk, row))
    },
    async heldAccounts(connection, accountIds) {
      const { rows } = await run(texts.held({ connection, ids: listValue(accountIds) }))
      return new Map(rows.map((row): [string, HeldAccount] => [row.account_id, toHeld(run.sealer, connection, row)]))
    },
    async tombstonesOf(connection, accountIds) {
      const { rows } = await run(texts.tombstones({ connection, ids: listValue(accountIds) }))
      const newest = new Map<string, Link>()
      for (const row of rows) {
        const link = toLink(run.sealer, row)
        if (link.accountId !== undefined) newest.set(link.accountId, link)
      }
      return newest
    },
    async letGoBy(connection, accountId) {
      const { rows } = await run(texts.letGo({ connection, accountId }))
      return rows[0]?.resource_id
    },
    async missingAccounts(connection, walk, afterResource, limit) {
      const { rows } = await run(texts.missing({ connection, walk, afterResource, limit }))
      return rows.map((row) => toHeld(run.sealer, connection, row))
    },
    async proposedDocuments(connection, limit) {
      const { rows } = await run(texts.proposed({ connection, limit }))
      return rows.map((row) => run.sealer.open('resource.json', [connection, row.id], row.json))
    },
  })
}

function toFinding(sealer: Sealer, connection: string, walk: number, row: FindingRow): Finding {
  return {
    accountId: row.account_id,
    situation: row.situation,
    resourceId: row.resource_id ?? undefined,
    attributes: parseTexts(row.attributes),
    otherAccounts: parseTexts(row.other_accounts),
    otherResources: parseTexts(row.other_resources),
    remedy: row.remedy ?? undefined,
    done: sealer.open('finding.done', [connection, String(walk), row.account_id], row.done) ?? undefined,
  }
}

function toHeld(sealer: Sealer, connection: string, row: HeldRow): HeldAccount {
  return {
    accountId: row.account_id,
    resourceId: row.resource_id,
    lastAppliedAt: row.last_applied_at ?? undefined,
    json: sealer.open('resource.json', [connection, row.resource_id], row.json) ?? undefined,
    operationState: row.operation_state ?? undefined,
  }
}

function readStatements(dialect: Dialect) {
  const place = ['connection', 'walk', 'afterAccount', 'limit'] as const
  return {
    all: statement(
      dialect,
      place,
      (slot) => sql<FindingRow>`
        select ${columns} from finding
        where connection = ${slot('connection')} and walk = ${slot('walk')} and account_id > ${slot('afterAccount')}
        order by account_id limit ${atMost(slot('limit'))}`,
    ),
    ofSituation: statement(
      dialect,
      [...place, 'situation'],
      (slot) => sql<FindingRow>`
        select ${columns} from finding
        where connection = ${slot('connection')} and walk = ${slot('walk')} and situation = ${slot('situation')}
          and account_id > ${slot('afterAccount')}
        order by account_id limit ${atMost(slot('limit'))}`,
    ),
    open: statement(
      dialect,
      place,
      (slot) => sql<FindingRow>`
        select ${columns} from finding
        where connection = ${slot('connection')} and walk = ${slot('walk')} and remedy is not null and done is null
          and account_id > ${slot('afterAccount')}
        order by account_id limit ${atMost(slot('limit'))}`,
    ),
    count: statement(
      dialect,
      ['connection', 'walk'],
      (slot) => sql<{ situation: string; count: number }>`
        select situation, count(*) as count from finding
        where connection = ${slot('connection')} and walk = ${slot('walk')} group by situation`,
    ),
  }
}

function writeStatements(dialect: Dialect) {
  return {
    put: statement(
      dialect,
      [
        'connection',
        'walk',
        'accountId',
        'situation',
        'resourceId',
        'attributes',
        'otherAccounts',
        'otherResources',
        'remedy',
        'done',
      ],
      (slot) => sql<unknown>`
        insert into finding (connection, walk, account_id, situation, resource_id, attributes, other_accounts,
          other_resources, remedy, done)
        values (${slot('connection')}, ${slot('walk')}, ${slot('accountId')}, ${slot('situation')}, ${slot('resourceId')},
          ${slot('attributes')}, ${slot('otherAccounts')}, ${slot('otherResources')}, ${slot('remedy')}, ${slot('done')})
        on conflict (connection, walk, account_id) do update set situation = excluded.situation,
          resource_id = excluded.resource_id, attributes = excluded.attributes, other_accounts = excluded.other_accounts,
          other_resources = excluded.other_resources, remedy = excluded.remedy, done = excluded.done`,
    ),
    met: statement(
      dialect,
      ['connection', 'walk', 'ids'],
      (slot) => sql<{ account_id: string }>`
        select account_id from finding where connection = ${slot('connection')} and walk = ${slot('walk')}
          and account_id in (select value from ${listRows(slot('ids'))})`,
    ),
    ofResource: statement(
      dialect,
      ['connection', 'walk', 'resourceId'],
      (slot) => sql<FindingRow>`
        select ${columns} from finding
        where connection = ${slot('connection')} and walk = ${slot('walk')} and resource_id = ${slot('resourceId')}
          and situation in ('unlinked', 'disputed')
        order by account_id limit ${rivalsShown}`,
    ),
    held: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<HeldRow>`
        select ${heldColumns} from ${heldTables}
        where link.connection = ${slot('connection')} and link.state <> 'tombstone'
          and link.account_id in (select value from ${listRows(slot('ids'))})`,
    ),
    tombstones: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<LinkRow>`
        select ${linkColumns} from link
        where connection = ${slot('connection')} and state = 'tombstone'
          and account_id in (select value from ${listRows(slot('ids'))})
        order by deleted_at`,
    ),
    letGo: statement(
      dialect,
      ['connection', 'accountId'],
      (slot) => sql<{ resource_id: string }>`
        select resource_id from link
        where connection = ${slot('connection')} and state <> 'tombstone'
          and unlinked_account_id = ${slot('accountId')} limit 1`,
    ),
    proposed: statement(
      dialect,
      ['connection', 'limit'],
      (slot) => sql<{ id: string; json: string }>`
        select resource.id, resource.json from link
          join resource on resource.connection = link.connection and resource.id = link.resource_id
        where link.connection = ${slot('connection')} and link.state = 'proposed' limit ${atMost(slot('limit'))}`,
    ),
    missing: statement(
      dialect,
      ['connection', 'walk', 'afterResource', 'limit'],
      (slot) => sql<HeldRow>`
        select ${heldColumns} from ${heldTables}
        where link.connection = ${slot('connection')} and link.state = 'live' and link.account_id is not null
          and link.resource_id > ${slot('afterResource')}
          and not exists (select 1 from finding where finding.connection = link.connection
            and finding.walk = ${slot('walk')} and finding.account_id = link.account_id)
        order by link.resource_id limit ${atMost(slot('limit'))}`,
    ),
  }
}
