import { type ChainedRow, isAsWritten, isErased } from './audit-chain.ts'
import { recordedErasure } from './audit-erasures.ts'
import type { Counters } from './counters.ts'
import { sql } from './kysely.ts'
import { toAudit } from './rows.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'

export type AuditFault =
  /** The line is not as it was written, or not behind the line that it was written after. */
  | 'altered'
  | 'missing'
  /** It stands where none was written. */
  | 'inserted'
  /** It tells of nobody, as after an erasure, and none is recorded. */
  | 'blanked'
  /** A person was erased from it, and it tells of one. */
  | 'refilled'

export interface VerifiedAudit {
  /** That were found to be as written, or as an erasure has left them. */
  readonly rows: number
  /** Those among them from which a person was erased on request. */
  readonly erased: number
  /** The first line that is not as it has to be, and what is wrong with it. */
  readonly brokenAt: number | undefined
  readonly fault: AuditFault | undefined
}

export interface AuditVerification {
  /** Follows the chain from where retention has left off. Lines may be added, erased and cut off meanwhile. */
  verifyAudit(connection: string): Promise<VerifiedAudit>
}

/** Rows read at a time: a turn of the event loop lies between. */
const verifyBatch = 1_000

interface VerifiedRow extends ChainedRow {
  /** 1 when it is older than salts and the person it told of was erased from it. */
  readonly is_marked: number
}

interface Place {
  readonly id: number
  readonly hash: string
}

export function createAuditVerification(dialect: Dialect, counters: Counters): (run: Run) => AuditVerification {
  const { page, anchor, stray } = verifyStatements(dialect)
  return (run) => ({
    async verifyAudit(connection) {
      const readAnchor = async (): Promise<Place> => (await run(anchor({ connection }))).rows[0] ?? { id: 0, hash: '' }
      const readPage = async (afterId: number, limit: number) => (await run(page({ connection, afterId, limit }))).rows
      /** Whether a line that was passed has been erased, or cut off, since. */
      const isErasedNow = async (id: number) => {
        const [row] = await readPage(id - 1, 1)
        if (row?.id === id) return isErased(row, row.is_marked === 1)
        return id <= (await readAnchor()).id
      }

      const newest = await counters.read(run, connection, 'audit.id')
      let last = await readAnchor()
      let rows = 0
      let erased = 0
      const erasures = createErasures(last.id, isErasedNow)
      const broken = (brokenAt: number, fault: AuditFault) => ({ rows, erased, brokenAt, fault })
      const [before] = (await run(stray({ connection, id: last.id }))).rows
      if (before !== undefined) return broken(before.id, 'inserted')
      for (;;) {
        const lines = await readPage(last.id, verifyBatch)
        if (lines.length === 0) break
        for (const line of lines) {
          if (line.id !== last.id + 1) {
            // Retention may have cut lines off since the page before.
            const moved = await readAnchor()
            if (moved.id !== line.id - 1) return broken(last.id + 1, 'missing')
            last = moved
            erasures.cutOff(moved.id)
          }
          if (!isAsWritten(last.hash, connection, line, line.is_marked === 1)) return broken(line.id, 'altered')
          const refilled = await erasures.pass(line)
          if (refilled !== undefined) return broken(refilled, 'refilled')
          if (isErased(line, line.is_marked === 1)) erased += 1
          rows += 1
          last = line
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      // Lines may have been added since `newest` was read.
      if (last.id < newest) return broken(last.id + 1, 'missing')
      const written = await counters.read(run, connection, 'audit.id')
      if (last.id > written) return broken(written + 1, 'inserted')
      const blanked = erasures.unrecorded()
      return blanked === undefined
        ? { rows, erased, brokenAt: undefined, fault: undefined }
        : broken(blanked, 'blanked')
    },
  })
}

/** Compares lines from which a person was erased with what later lines record of erasures. */
function createErasures(start: number, isErasedNow: (id: number) => Promise<boolean>) {
  /** Erased, and no line that names them was passed yet. */
  const withSalt = new Set<number>()
  const older = new Set<number>()
  let counted = 0
  return {
    /** Answers the line that was erased, as this one records, and tells of a person all the same. */
    async pass(line: VerifiedRow): Promise<number | undefined> {
      if (isErased(line, line.is_marked === 1)) {
        const kind = line.subject_hash === null ? older : withSalt
        kind.add(line.id)
        return undefined
      }
      const recorded = recordedErasure(toAudit(line).detail)
      if (recorded?.kind === 'counted') counted += recorded.count
      if (recorded?.kind !== 'named') return undefined
      for (const [first, end] of recorded.lines) {
        for (let id = Math.max(first, start + 1); id <= Math.min(end, line.id - 1); id += 1) {
          if (withSalt.delete(id) || older.delete(id)) continue
          if (!(await isErasedNow(id))) return id
        }
      }
      return undefined
    },
    cutOff(end: number): void {
      for (const ids of [withSalt, older]) for (const id of ids) if (id <= end) ids.delete(id)
    },
    /** The first that no line accounts for. */
    unrecorded(): number | undefined {
      const [first] = withSalt
      const [firstOlder] = older
      return first ?? (older.size > counted ? firstOlder : undefined)
    },
  }
}

function verifyStatements(dialect: Dialect) {
  return {
    page: statement(
      dialect,
      ['connection', 'afterId', 'limit'],
      (slot) => sql<VerifiedRow>`
        select id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, salt, subject_hash, hash,
          case when exists (select 1 from audit_erased
            where audit_erased.connection = audit.connection and audit_erased.id = audit.id) then 1 else 0 end as is_marked
        from audit
        where connection = ${slot('connection')} and id > ${slot('afterId')} order by id limit ${atMost(slot('limit'))}`,
    ),
    anchor: statement(
      dialect,
      ['connection'],
      (slot) => sql<Place>`select id, hash from audit_anchor where connection = ${slot('connection')}`,
    ),
    stray: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<{ id: number }>`
        select id from audit where connection = ${slot('connection')} and id <= ${slot('id')} order by id limit 1`,
    ),
  }
}
