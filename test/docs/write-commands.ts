/** Writes docs/commands.md anew. */
import { writeFileSync } from 'node:fs'
import { commandsPage } from '../../src/cli/commands-page.ts'
import { createProgram } from '../../src/cli/program.ts'

writeFileSync(new URL('../../docs/commands.md', import.meta.url), commandsPage(createProgram()))
