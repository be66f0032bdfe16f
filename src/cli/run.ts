import { CommanderError } from 'commander'
import { createProgram } from './cli/program.ts'
import { NewerSchema } from './store/newer-schema.ts'
import { FileProblems } from './yaml/problems.ts'

/** The database was written by a later version: nothing may be done with it. */
const newerSchemaExit = 57

try {
  await createProgram().parseAsync()
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
