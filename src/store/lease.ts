import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StoreInUse } from './failures.ts'
import { machine } from './machine.ts'

/** A holder that has not renewed for so long is taken for dead, wherever it runs. */
export const leaseMs = 60_000
export const renewalMs = 20_000

/** Leases held by this very process; a row with our process id that is not among them is left from an earlier life. */
const heldHere = new Set<string>()

interface Holder {
  readonly token: string
  readonly pid: number
  readonly processStart: string
  readonly host: string
  readonly renewedAt: number
}

/** One process at a time writes the file. Every transaction asks `isHeld`, so a process that was taken for dead cannot write. */
export interface Lease {
  isHeld(): boolean
  renew(now: number): void
  release(): void
}

/** Throws `StoreInUse` naming the holder. */
export function refuseHeld(database: DatabaseSync, file: string, now: number): void {
  const holder = readHolder(database)
  if (holder === undefined || !isAlive(holder, now)) return
  throw new StoreInUse(
    `${file} is in use by process ${holder.pid} on ${holder.host}: stop that process first ` +
      `(a process that was killed elsewhere is forgotten after ${leaseMs / 1000} seconds)`,
  )
}

/** Takes the lease, inside the caller's transaction. Throws as `refuseHeld`. */
export function takeLease(database: DatabaseSync, file: string, now: number): Lease {
  refuseHeld(database, file, now)
  const token = randomUUID()
  database.exec("delete from lease where name = 'writer'")
  database
    .prepare(
      "insert into lease (name, token, pid, process_start, host, since, renewed_at) values ('writer', ?, ?, ?, ?, ?, ?)",
    )
    .run(token, process.pid, processStart(process.pid), machine(), now, now)
  heldHere.add(token)
  const held = database.prepare("select 1 from lease where name = 'writer' and token = ?")
  const renewal = database.prepare("update lease set renewed_at = ? where name = 'writer' and token = ?")
  const end = database.prepare("delete from lease where name = 'writer' and token = ?")
  return {
    isHeld: () => held.get(token) !== undefined,
    renew: (at) => void renewal.run(at, token),
    release() {
      heldHere.delete(token)
      end.run(token)
    },
  }
}

function readHolder(database: DatabaseSync): Holder | undefined {
  const row = database
    .prepare("select token, pid, process_start, host, renewed_at from lease where name = 'writer'")
    .get()
  if (row === undefined) return undefined
  return {
    token: String(row.token),
    pid: Number(row.pid),
    processStart: String(row.process_start),
    host: String(row.host),
    renewedAt: Number(row.renewed_at),
  }
}

function isAlive(holder: Holder, now: number): boolean {
  if (now - holder.renewedAt > leaseMs) return false
  // Processes of another host, or of another container, cannot be asked: only time tells.
  if (holder.host !== machine()) return true
  if (holder.pid === process.pid) return heldHere.has(holder.token)
  if (!isRunning(holder.pid)) return false
  const start = processStart(holder.pid)
  return start === '' || start === holder.processStart
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, under another user.
    return error instanceof Error && 'code' in error && error.code !== 'ESRCH'
  }
}

/**
 * When a process began, as the system says it: process ids are used again, soon so in a container. Empty where the
 * system does not say.
 */
function processStart(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // proc(5): field 22; the name in brackets may hold spaces, so counted from the last bracket.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
