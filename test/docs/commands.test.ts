import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import { commandsPage, exitStatuses } from '../../src/cli/commands-page.ts'
import { createProgram } from '../../src/cli/program.ts'

const page = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8')

test('docs/commands.md is what the program says of itself: npm run docs writes it anew', () => {
  assert.equal(page, commandsPage(createProgram()))
})

test('exit statuses are told of commands that there are', () => {
  for (const words of exitStatuses.keys()) assert.match(page, new RegExp(`^## ${words}$`, 'm'))
})

/** Those whose output is no report: a server, a script, JSON already. */
const withoutJson = new Set([
  'serve',
  'demo',
  'mapping schema',
  'completion',
  'audit export',
  'store key',
  'store migrate',
])

test('every command that reports something has --json', () => {
  const leaves = (command: Command, path: string[]): [string, Command][] =>
    command.commands.length === 0
      ? [[path.join(' '), command]]
      : command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]))
  const lacking = leaves(createProgram(), []).filter(
    ([words, command]) => !withoutJson.has(words) && !command.options.some(({ long }) => long === '--json'),
  )
  assert.deepEqual(
    lacking.map(([words]) => words),
    [],
  )
})
