/** What was looked at, judged. Pure. */
import type { ProbeStep } from '../platforms/platform.ts'
import type { InspectedStore } from '../store/inspect.ts'

export interface Checked extends ProbeStep {
  /** `configuration`, `store`, `alarms`, or the connection's name. */
  readonly area: string
}

const megabyte = 1024 * 1024
/** A hundred thousand users with a year of audit need about half of it. */
const comfortableBytes = 2_048 * megabyte
/** The write-ahead log alone may grow to this before it is folded in. */
const leastBytes = 128 * megabyte

export function storeFindings(store: InspectedStore): readonly Checked[] {
  const finding = (name: string, result: Checked['result'], seen: string, remedy?: string): Checked => ({
    area: 'store',
    name,
    result,
    seen,
    remedy,
  })
  const free = `${Math.floor(store.freeBytes / megabyte)} MB free`
  const findings = [
    store.isWritable
      ? finding('file', 'ok', `${store.file}${store.isInUse ? ', in use by a bridge' : ''}`)
      : finding(
          'file',
          'failed',
          `${store.file} may not be written`,
          "give the bridge's user the right to write it and its folder",
        ),
    schemaFinding(store, finding),
    store.freeBytes < leastBytes
      ? finding('disk', 'failed', free, 'make room: without it nothing that is asked can be kept')
      : store.freeBytes < comfortableBytes
        ? finding('disk', 'warning', free, 'make room before it is full: the audit and new users need it')
        : finding('disk', 'ok', free),
  ]
  if (store.passingFileSystem === undefined) return findings
  const remedy = 'mount a volume: what the bridge has promised ends with this container or machine'
  return [...findings, finding('file system', 'warning', store.passingFileSystem, remedy)]
}

function schemaFinding(
  { isThere, isReadable, schema, newestSchema, file }: InspectedStore,
  finding: (name: string, result: Checked['result'], seen: string, remedy?: string) => Checked,
): Checked {
  if (!isThere) return finding('version', 'ok', 'not there yet: the first start makes it')
  if (!isReadable) {
    const remedy = "run the check as the bridge's user; if it is that already, end the program that has locked the file"
    return finding('version', 'failed', `${file} cannot be looked at`, remedy)
  }
  if (schema === undefined) {
    const remedy = 'name another file, or restore a backup of the store'
    return finding('version', 'failed', `${file} is no store of the bridge`, remedy)
  }
  if (schema > newestSchema) {
    const remedy = 'start the release that wrote it, or restore the backup made before the upgrade'
    return finding('version', 'failed', `schema ${schema}; this release knows ${newestSchema}`, remedy)
  }
  if (schema === newestSchema) return finding('version', 'ok', `schema ${schema}`)
  const remedy =
    'make a backup now: the next start brings it up to date, and an older release does not open it any more'
  return finding('version', 'warning', `schema ${schema}; this release writes ${newestSchema}`, remedy)
}

/** Signed tokens live for minutes, and a `Date` says whole seconds. */
const doubtfulMs = 30_000
const wrongMs = 120_000

/** `skewMs`: ours less theirs; undefined where the platform did not say its time. */
export function clockFinding(area: string, skewMs: number | undefined): readonly Checked[] {
  if (skewMs === undefined) return []
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (Math.abs(skewMs) < doubtfulMs)
    return [
      {
        area,
        name: 'clock',
        result: 'ok',
        seen: `within ${Math.max(1, seconds)} s of the platform's`,
        remedy: undefined,
      },
    ]
  const seen = `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the platform's`
  const remedy = 'set the clock of this machine by NTP; signed tokens are refused when the clocks differ'
  return [{ area, name: 'clock', result: Math.abs(skewMs) < wrongMs ? 'warning' : 'failed', seen, remedy }]
}

const marks = { ok: 'ok      ', warning: 'LOOK    ', failed: 'FAILED  ', skipped: 'skipped ' } as const

export function textOf({ area, name, result, seen, remedy }: Checked): string {
  const line = `${marks[result]} ${area}: ${name}: ${seen}\n`
  return remedy === undefined ? line : `${line}          → ${remedy}\n`
}
