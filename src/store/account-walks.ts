import { isJsonObject } from '../json.ts'
import { type RawBuilder, sql } from './kysely.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'
import type { Phase, Walk, WalkReader, WalkWriter } from './walk-store.ts'

interface WalkRow {
  readonly connection: string
  readonly number: number
  readonly purpose: Walk['purpose']
  readonly caller: string
  readonly is_repair: number
  readonly is_recreate: number
  readonly is_dry_run: number
  readonly phase: Phase
  readonly place: string | null
  readonly accounts: number
  readonly is_short: number
  readonly failures: number
  readonly error: string | null
  readonly due_at: number
  readonly asked_at: number
  readonly finished_at: number | null
  readonly counts: string
}

const columns = sql.raw(
  'connection, number, purpose, caller, is_repair, is_recreate, is_dry_run, phase, place, accounts, is_short, failures, ' +
    'error, due_at, asked_at, finished_at, counts',
)

type Reads = Pick<WalkReader, 'getWalk' | 'currentWalk' | 'lastFinishedWalk' | 'lastAskedWalk'>

export function createWalkReads(dialect: Dialect): (run: Run) => Reads {
  const texts = readStatements(dialect)
  return (run) => {
    const one = async (query: ReturnType<typeof texts.get>) => {
      const { rows } = await run(query)
      return rows[0] === undefined ? undefined : toWalk(rows[0])
    }
    return {
      getWalk: (connection, number) => one(texts.get({ connection, number })),
      currentWalk: (connection) => one(texts.current({ connection })),
      lastFinishedWalk: (connection, purpose) => one(texts.lastFinished({ connection, purpose })),
      lastAskedWalk: (connection, purpose) => one(texts.lastAsked({ connection, purpose })),
    }
  }
}

type Writes = Pick<WalkWriter, 'addWalk' | 'updateWalk' | 'forgetWalksBefore' | 'forgetFailedBefore'>

export function createWalkWrites(dialect: Dialect): (run: Run) => Writes {
  const texts = writeStatements(dialect)
  return (run) => ({
    async addWalk(connection, walk) {
      const { rows } = await run(
        texts.insert({
          connection,
          purpose: walk.purpose,
          caller: walk.caller,
          isRepair: walk.isRepair ? 1 : 0,
          isRecreate: walk.isRecreate ? 1 : 0,
          isDryRun: walk.isDryRun ? 1 : 0,
          askedAt: walk.askedAt,
        }),
      )
      if (rows[0] === undefined) throw new Error('a walk was not stored')
      return rows[0].number
    },
    async updateWalk(walk) {
      await run.tell(
        texts.update({
          connection: walk.connection,
          number: walk.number,
          phase: walk.phase,
          place: walk.place ?? null,
          accounts: walk.accounts,
          isShort: walk.isShort ? 1 : 0,
          failures: walk.failures,
          error: walk.error ?? null,
          dueAt: walk.dueAt,
          finishedAt: walk.finishedAt ?? null,
          counts: JSON.stringify(walk.counts),
        }),
      )
    },
    async forgetWalksBefore(connection, number, limit) {
      const findings = await run(texts.forgetFindings({ connection, number, limit }))
      const keys = await run(texts.forgetKeys({ connection, number, limit }))
      if (findings.rows.length === limit || keys.rows.length === limit) return false
      await run.tell(texts.forgetWalks({ connection, number }))
      return true
    },
    async forgetFailedBefore(connection, number, limit) {
      const findings = await run(texts.forgetFailedFindings({ connection, number, limit }))
      const keys = await run(texts.forgetFailedKeys({ connection, number, limit }))
      return findings.rows.length < limit && keys.rows.length < limit
    },
  })
}

function toWalk(row: WalkRow): Walk {
  return {
    connection: row.connection,
    number: row.number,
    purpose: row.purpose,
    caller: row.caller,
    isRepair: row.is_repair === 1,
    isRecreate: row.is_recreate === 1,
    isDryRun: row.is_dry_run === 1,
    phase: row.phase,
    place: row.place ?? undefined,
    accounts: row.accounts,
    isShort: row.is_short === 1,
    failures: row.failures,
    error: row.error ?? undefined,
    dueAt: row.due_at,
    askedAt: row.asked_at,
    finishedAt: row.finished_at ?? undefined,
    counts: parseCounts(row.counts),
  }
}

function parseCounts(text: string): Record<string, number> {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new TypeError('stored counts are not a JSON object')
  const counts: Record<string, number> = {}
  for (const [name, count] of Object.entries(value)) if (typeof count === 'number') counts[name] = count
  return counts
}

function readStatements(dialect: Dialect) {
  return {
    get: statement(
      dialect,
      ['connection', 'number'],
      (slot) => sql<WalkRow>`
        select ${columns} from walk where connection = ${slot('connection')} and number = ${slot('number')}`,
    ),
    current: statement(
      dialect,
      ['connection'],
      (slot) => sql<WalkRow>`
        select ${columns} from walk where connection = ${slot('connection')} and phase not in ('finished', 'failed')
        order by number limit 1`,
    ),
    lastFinished: statement(
      dialect,
      ['connection', 'purpose'],
      (slot) => sql<WalkRow>`
        select ${columns} from walk
        where connection = ${slot('connection')} and purpose = ${slot('purpose')} and phase = 'finished'
        order by number desc limit 1`,
    ),
    lastAsked: statement(
      dialect,
      ['connection', 'purpose'],
      (slot) => sql<WalkRow>`
        select ${columns} from walk where connection = ${slot('connection')} and purpose = ${slot('purpose')}
        order by number desc limit 1`,
    ),
  }
}

function writeStatements(dialect: Dialect) {
  return {
    insert: statement(
      dialect,
      ['connection', 'purpose', 'caller', 'isRepair', 'isRecreate', 'isDryRun', 'askedAt'],
      (slot) => sql<{ number: number }>`
        insert into walk (connection, number, purpose, caller, is_repair, is_recreate, is_dry_run, phase, accounts,
          is_short, failures, due_at, asked_at, counts)
        values (${slot('connection')},
          (select coalesce(max(number), 0) + 1 from walk where connection = ${slot('connection')}),
          ${slot('purpose')}, ${slot('caller')}, ${slot('isRepair')}, ${slot('isRecreate')}, ${slot('isDryRun')},
          'asked', 0, 0, 0, ${slot('askedAt')}, ${slot('askedAt')}, '{}')
        returning number`,
    ),
    update: statement(
      dialect,
      [
        'connection',
        'number',
        'phase',
        'place',
        'accounts',
        'isShort',
        'failures',
        'error',
        'dueAt',
        'finishedAt',
        'counts',
      ],
      (slot) => sql<unknown>`
        update walk set phase = ${slot('phase')}, place = ${slot('place')}, accounts = ${slot('accounts')},
          is_short = ${slot('isShort')}, failures = ${slot('failures')}, error = ${slot('error')},
          due_at = ${slot('dueAt')}, finished_at = ${slot('finishedAt')}, counts = ${slot('counts')}
        where connection = ${slot('connection')} and number = ${slot('number')}`,
    ),
    forgetFindings: forget(dialect, findingKey, before),
    forgetKeys: forget(dialect, matchKey, before),
    forgetFailedFindings: forget(dialect, findingKey, failedBefore),
    forgetFailedKeys: forget(dialect, matchKey, failedBefore),
    // The newest finished one of each purpose stays: the next is measured by it, and the schedule goes by it.
    forgetWalks: statement(
      dialect,
      ['connection', 'number'],
      (slot) => sql<unknown>`
        delete from walk where connection = ${slot('connection')} and number < ${slot('number')}
          and phase in ('finished', 'failed') and number not in (
            select max(number) from walk
            where connection = ${slot('connection')} and phase = 'finished' group by purpose)`,
    ),
  }
}

type ForgetSlot = (name: 'connection' | 'number' | 'limit') => RawBuilder<unknown>

const findingKey = { table: sql.raw('finding'), columns: sql.raw('walk, account_id') }
const matchKey = { table: sql.raw('match_key'), columns: sql.raw('walk, value_key, resource_id') }

const before = (slot: ForgetSlot) => sql`walk < ${slot('number')}`
const failedBefore = (slot: ForgetSlot) => sql`walk in (
  select number from walk
  where connection = ${slot('connection')} and number < ${slot('number')} and phase = 'failed')`

/** What walks have left in a table, a portion at a time. */
function forget(
  dialect: Dialect,
  { table, columns }: typeof findingKey,
  ofWalks: (slot: ForgetSlot) => RawBuilder<unknown>,
) {
  return statement(
    dialect,
    ['connection', 'number', 'limit'],
    (slot) => sql<{ walk: number }>`
      delete from ${table} where connection = ${slot('connection')} and (${columns}) in (
        select ${columns} from ${table}
        where connection = ${slot('connection')} and ${ofWalks(slot)} limit ${atMost(slot('limit'))})
      returning walk`,
  )
}
