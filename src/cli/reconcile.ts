import { Command } from 'commander'
import { type Finding, type Situation, situations } from '../store/walk-store.ts'
import { readConnection } from './connection.ts'
import { type Output, terminal } from './output.ts'
import { type Ended, findingsOf, type Wish, walkFor } from './walk.ts'
import { rowText, summary } from './walk-text.ts'

interface WalkOptions {
  readonly config?: string
  readonly connection: string
  readonly repair?: boolean
  readonly recreate?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Something is left for a person to look at. */
const leftExit = 3
/** Rows of one situation in a table; JSON has them all. */
const shownRows = 200

/** Those that are counted only: as wanted, or not ours. */
const countedOnly: ReadonlySet<Situation> = new Set(['linked', 'protected', 'former', 'unmatched'])

/** `scim-bridge reconcile`: what every account is to the bridge, and what mends it. */
export function reconcileCommand(output: Output = terminal): Command {
  return withPlace(new Command('reconcile'))
    .description('compare all accounts of a connection with its users; writes nothing unless told to')
    .option('--repair', 'write what users say over what differs, and link accounts that fit exactly one user')
    .option('--recreate', 'make accounts that are gone again, for users that are active')
    .action((options: WalkOptions) =>
      walk(output, options, {
        purpose: 'reconcile',
        isRepair: options.repair === true,
        isRecreate: options.recreate === true,
        isDryRun: false,
      }),
    )
}

/** `scim-bridge import`: users out of accounts that are nobody's yet. */
export function importCommand(output: Output = terminal): Command {
  return withPlace(new Command('import'))
    .description('make users of the accounts that have none, for an identity provider to find; writes nothing there')
    .option('--dry-run', 'say who would be imported')
    .action((options: WalkOptions) =>
      walk(output, options, {
        purpose: 'import',
        isRepair: false,
        isRecreate: false,
        isDryRun: options.dryRun === true,
      }),
    )
}

function withPlace(command: Command): Command {
  return command
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
}

async function walk(output: Output, options: WalkOptions, wish: Wish): Promise<void> {
  await walkFor(readConnection(options), wish, output.progress, async (ended) => {
    output.progress('')
    const isLeft = await (options.json === true ? writeJson(output, ended) : writeTable(output, ended))
    if (isLeft) output.setExitCode(leftExit)
  })
}

/** Answers whether anything is left to do. */
async function writeTable({ write }: Output, ended: Ended): Promise<boolean> {
  write(`${summary(ended)}\n`)
  let isLeft = false
  for (const situation of situations) {
    let count = 0
    if (!mustList(ended, situation)) continue
    for await (const finding of findingsOf(ended.store, ended.walk, situation)) {
      count += 1
      isLeft ||= isOpen(finding)
      if (count <= shownRows) write(`${rowText(finding)}\n`)
    }
    if (count > shownRows) write(`  … and ${count - shownRows} more ${situation}: --json has them all\n`)
  }
  return isLeft
}

async function writeJson({ write }: Output, ended: Ended): Promise<boolean> {
  const { connection, number, purpose, accounts, isShort, counts, askedAt, finishedAt } = ended.walk
  const head = {
    connection,
    walk: number,
    purpose,
    askedAt: new Date(askedAt).toISOString(),
    finishedAt: new Date(finishedAt ?? askedAt).toISOString(),
    accounts,
    isShort,
    counts,
    unfinished: ended.unfinished ?? null,
  }
  // Row by row: a first report of 100,000 accounts need not fit into the memory as one text.
  write(`${JSON.stringify(head).slice(0, -1)},"findings":[`)
  let isLeft = false
  let separator = ''
  for (const situation of situations) {
    if (!mustList(ended, situation)) continue
    for await (const finding of findingsOf(ended.store, ended.walk, situation)) {
      isLeft ||= isOpen(finding)
      write(`${separator}\n${JSON.stringify(finding)}`)
      separator = ','
    }
  }
  write('\n]}\n')
  return isLeft
}

function mustList({ walk: { purpose, counts } }: Ended, situation: Situation): boolean {
  if ((counts[situation] ?? 0) === 0) return false
  return purpose === 'import' ? situation === 'unmatched' : !countedOnly.has(situation)
}

/** What the platform or the mapping keeps as it is needs nobody; what a repair has seen to neither. */
function isOpen({ situation, remedy, done }: Finding): boolean {
  if (situation === 'unmatched') return done?.startsWith('refused') === true || done?.startsWith('left') === true
  if (done === 'asked' || done === 'linked') return false
  return situation === 'disputed' || remedy !== undefined
}
