/** docs/commands.md, out of the program itself: what a command's help says, and what its exit statuses mean. */
import type { Command, Option } from 'commander'

/** Of every command. */
const common: readonly (readonly [number, string])[] = [
  [0, 'done; nothing is left for a person'],
  [1, 'not done, or not all of it; the text on standard error says why and what to do'],
  [2, 'wrong usage; the text says how it is used'],
  [57, 'the store was written by a newer release; nothing was touched'],
]

/** What differs, by the words of the command. */
export const exitStatuses: ReadonlyMap<string, readonly (readonly [number, string])[]> = new Map([
  ['serve', [[0, 'stopped by SIGTERM, SIGINT or SIGHUP, with everything that was accepted kept']]],
  ['demo', [[0, 'stopped by SIGTERM, SIGINT or SIGHUP']]],
  [
    'check',
    [
      [1, 'something failed: the bridge would not work like this'],
      [3, 'nothing failed, and something is to be looked at'],
    ],
  ],
  ['mapping check', [[1, 'a mapping has mistakes, or one of its examples fails']]],
  ['mapping test', [[1, 'an example fails']]],
  ['plan', [[1, 'the user would be refused']]],
  ['users show', [[3, 'work failed or is held, or the account was let go: somebody has to decide']]],
  ['reconcile', [[3, 'rows are left that no repair has seen to, or disputes']]],
  ['import', [[3, 'somebody was refused']]],
  ['audit verify', [[1, 'a line was changed or is missing']]],
])

export function commandsPage(program: Command): string {
  const leaves = leavesOf(program, [])
  return [
    '# Commands',
    '',
    '<!-- Written by `npm run docs`; a test compares it with the program. -->',
    '',
    '`npx scim-bridge COMMAND`, or `scim-bridge COMMAND` where the package is installed globally. With `--json` standard output is one JSON document (or one',
    'a line) and nothing else; progress, for people at a terminal, goes to standard error.',
    '',
    ...table(
      ['exit status', 'of every command'],
      common.map(([status, text]) => [String(status), text]),
    ),
    '',
    ...leaves.flatMap(({ command, words }) => section(command, words)),
  ].join('\n')
}

interface Leaf {
  readonly command: Command
  readonly words: string
}

function leavesOf(command: Command, path: readonly string[]): Leaf[] {
  if (command.commands.length === 0) return [{ command, words: path.join(' ') }]
  return command.commands.flatMap((inner) => leavesOf(inner, [...path, inner.name()]))
}

function section(command: Command, words: string): string[] {
  const help = command.createHelp()
  const known = help.visibleArguments(command).map((one) => [`\`${one.name()}\``, cell(help.argumentDescription(one))])
  const options = help.visibleOptions(command).map((option) => [`\`${cell(option.flags)}\``, cell(optionText(option))])
  const statuses = exitStatuses.get(words) ?? []
  return [
    `## ${words}`,
    '',
    `${sentence(command.description())}`,
    '',
    '```',
    `scim-bridge ${words} ${command.usage()}`.trim(),
    '```',
    '',
    ...table(['argument or option', ''], [...known, ...options]),
    ...(statuses.length === 0
      ? []
      : [
          '',
          ...table(
            ['exit status', ''],
            statuses.map(([status, text]) => [String(status), text]),
          ),
        ]),
    '',
  ]
}

/** As the help says it, less its brackets. */
function optionText(option: Option): string {
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`
  const isTold =
    option.defaultValue !== undefined && typeof option.defaultValue !== 'boolean' && !isEmpty(option.defaultValue)
  const usual = isTold ? ` (default: ${String(option.defaultValue)})` : ''
  const needed = option.mandatory ? ', required' : ''
  return `${option.description}${choices}${usual}${needed}`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
