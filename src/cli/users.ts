import { userInfo } from 'node:os'
import { Command } from 'commander'
import { readConfig } from '../bridge.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Config, ConnectionConfig } from '../config/config.ts'
import type { RequestedAction } from '../provision/operator-requests.ts'
import { ask } from './operator-request.ts'
import { type Output, terminal } from './output.ts'
import { configFile } from './serve.ts'
import { isLeft, readUserState, stateText, stoppedOf, stoppedText, withStore } from './user-state.ts'

export interface UsersDependencies {
  readonly output: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

const installed: UsersDependencies = { output: terminal, environment: process.env, clock: systemClock }

interface Options {
  readonly config?: string
  readonly connection: string
  readonly json?: boolean
}

interface OrderOptions extends Options {
  readonly why: string
  readonly by?: string
  readonly all?: boolean
  readonly wait?: boolean
  readonly force?: boolean
  readonly account?: string
  readonly cancel?: boolean
  readonly error?: string
  readonly text?: string
}

/** Something is left for a person to look at. */
const leftExit = 3
/** Rows of a table; JSON has them all. */
const shownRows = 200

/**
 * `scim-bridge users`: what is the matter with a user, and what an operator does about it. Works beside a bridge that runs,
 * which takes up what was asked within a second, and while none does.
 */
export function usersCommand(dependencies: UsersDependencies = installed): Command {
  const one = (name: string, description: string, action: RequestedAction) =>
    order(name, description)
      .argument('<user>', "the user's SCIM id or userName")
      .action((user: string, options: OrderOptions) => give(dependencies, options, action, user, {}))
  const oneOrAll = (name: string, description: string, actions: readonly [RequestedAction, RequestedAction]) =>
    order(name, description)
      .argument('[user]', "the user's SCIM id or userName")
      .action((user: string | undefined, options: OrderOptions, command: Command) => {
        if ((user === undefined) === (options.all !== true))
          command.error(`error: name one user, or give --all`, { exitCode: 2, code: 'users.who' })
        if (options.cancel === true) {
          if (options.all !== true) command.error('error: --cancel needs --all', { exitCode: 2, code: 'users.cancel' })
          return give(dependencies, options, 'cancel_reapply', undefined, {})
        }
        const detail = causeOf(options, command)
        return give(dependencies, options, actions[options.all === true ? 1 : 0], user, detail)
      })
  const command = new Command('users').description('look at users whose work is unfinished, and decide about them')
  command.addCommand(show(dependencies))
  command.addCommand(
    oneOrAll('retry', 'try unfinished work again now, as if never tried', ['retry', 'retry_cause'])
      .option('--all', 'of everybody that failed of, or waits for, the same; needs --error')
      .option('--error <class>', 'with --all: the class of the error, as `users show` tells it (disputed, refused, …)')
      .option('--text <text>', 'with --all: and exactly this text'),
  )
  command.addCommand(one('hold', 'attempt nothing for a user until it is released, whatever is pushed', 'hold'))
  command.addCommand(
    oneOrAll('release', 'let held work go on', ['release', 'release_all']).option(
      '--all',
      'everything that guardrails.hold has held; not what an operator holds',
    ),
  )
  command.addCommand(
    oneOrAll('reapply', 'write what is stored on the account once more; nobody is switched on by it', [
      'reapply',
      'reapply_all',
    ])
      .option('--all', 'every user of the connection, in portions, at the pace of the connection')
      .option('--no-wait', 'with --all: do not wait for the end')
      .option('--cancel', 'with --all: stop one that is under way; what is in line already is written'),
  )
  command.addCommand(
    order('unlink', 'let the account of a user go: it is not written any more')
      .argument('<user>', "the user's SCIM id or userName")
      .option('--force', 'although work is unfinished; a departure goes on until the account is read as off')
      .action((user: string, options: OrderOptions) =>
        give(dependencies, options, 'unlink', user, { isForced: options.force === true }),
      ),
  )
  command.addCommand(
    order('adopt', 'make an account the one of a user, whatever the mapping matches, and bring it up to date')
      .argument('<user>', "the user's SCIM id or userName")
      .requiredOption('--account <id>', "the platform's id of the account")
      .action((user: string, options: OrderOptions) =>
        give(dependencies, options, 'adopt', user, { accountId: options.account ?? '' }),
      ),
  )
  return command
}

/** `scim-bridge resume`: a platform that is left alone is asked again. */
export function resumeCommand(dependencies: UsersDependencies = installed): Command {
  return order(
    'resume',
    'ask a platform to which calls are suspended whether it is back, also after it refused the credentials',
  ).action((options: OrderOptions) => give(dependencies, options, 'resume', undefined, {}))
}

function show({ output, environment, clock }: UsersDependencies): Command {
  return place(new Command('show'))
    .description('what the bridge has of a user; without a user, all whose work failed or is held')
    .argument('[user]', "the user's SCIM id or userName")
    .action(async (user: string | undefined, options: Options) => {
      const { config, connection } = read(options, environment)
      await withStore(config, clock, async (beside) => {
        if (user === undefined) return showStopped(output, options, stoppedOf(beside, connection.name))
        const state = await readUserState(beside, connection.name, user)
        output.write(
          options.json === true
            ? `${JSON.stringify({ connection: connection.name, ...state })}\n`
            : stateText(connection.name, state),
        )
        if (isLeft(state)) output.setExitCode(leftExit)
      })
    })
}

async function showStopped(
  { write, setExitCode }: Output,
  { connection, json }: Options,
  operations: ReturnType<typeof stoppedOf>,
): Promise<void> {
  let count = 0
  if (json === true) write(`{"connection":${JSON.stringify(connection)},"stopped":[`)
  for await (const operation of operations) {
    if (json === true) write(`${count === 0 ? '' : ','}\n${JSON.stringify(operation)}`)
    else if (count < shownRows) write(`${stoppedText(operation)}\n`)
    count += 1
  }
  if (json === true) write('\n]}\n')
  else if (count > shownRows) write(`  … and ${count - shownRows} more: --json has them all\n`)
  else if (count === 0) write(`${connection}: no work failed, and none is held\n`)
  if (count > 0) setExitCode(leftExit)
}

async function give(
  { output, environment, clock }: UsersDependencies,
  options: OrderOptions,
  action: RequestedAction,
  user: string | undefined,
  detail: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  const { config, connection } = read(options, environment)
  const { by: operator = ownName(), why } = options
  const wish = { action, operator, why, user, detail, isAwaited: options.wait !== false }
  const answer = await ask({ config, connection, clock }, wish, output.progress)
  if (options.json === true) output.write(`${JSON.stringify({ connection: connection.name, action, ...answer })}\n`)
  else if (answer.result === 'refused') throw new Error(answer.text)
  else output.write(`${connection.name}: ${answer.text}\n`)
  if (answer.result === 'refused') output.setExitCode(1)
}

function causeOf({ all, error, text }: OrderOptions, command: Command): Record<string, string> {
  if (command.name() !== 'retry') return {}
  if ((all === true) !== (error !== undefined) || (text !== undefined && all !== true))
    command.error('error: --all and --error belong together, and --text to them', { exitCode: 2, code: 'users.cause' })
  return { ...(error === undefined ? {} : { kind: error }), ...(text === undefined ? {} : { message: text }) }
}

function order(name: string, description: string): Command {
  return place(new Command(name))
    .description(description)
    .requiredOption('--why <reason>', 'for the audit; no personal data')
    .option('--by <name>', 'for the audit: who wants it (default: your name on this machine)')
}

function place(command: Command): Command {
  return command
    .requiredOption('--connection <name>', 'connection of bridge.yaml')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .option('--json', 'for machines')
}

function read(
  options: Options,
  environment: UsersDependencies['environment'],
): { config: Config; connection: ConnectionConfig } {
  const config = readConfig(configFile(options.config), environment)
  const connection = config.connections.find(({ name }) => name === options.connection)
  if (connection !== undefined) return { config, connection }
  const names = config.connections.map(({ name }) => name).join(', ')
  throw new Error(`${config.file} has no connection '${options.connection}' (have ${names})`)
}

/** A container's user may have none. */
function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return 'operator'
  }
}
