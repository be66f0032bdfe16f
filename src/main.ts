import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { demoCommand } from './cli/demo.ts'
import { mappingCommand } from './cli/mapping.ts'
import { planCommand } from './cli/plan.ts'
import { serveCommand } from './cli/serve.ts'
import { NewerSchema } from './store/newer-schema.ts'
import { FileProblems } from './yaml/problems.ts'

/** The database was written by a later version: nothing may be done with it. */
const newerSchemaExit = 57

const version: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

const program = new Command('scim-bridge')
  .description('A SCIM 2.0 server that provisions accounts on platforms without SCIM')
  .version(String(version))
  .addCommand(serveCommand())
  .addCommand(demoCommand())
  .addCommand(mappingCommand())
  .addCommand(planCommand())
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride().showHelpAfterError()
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** What went wrong, for the person at the terminal; answers the exit status. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof FileProblems) {
    console.error(error.message)
    return 1
  }
  console.error(error instanceof Error ? `scim-bridge: ${error.message}` : 'scim-bridge: failed')
  return error instanceof NewerSchema ? newerSchemaExit : 1
}
