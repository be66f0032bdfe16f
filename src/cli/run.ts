import { CommanderError } from 'commander'
import { NewerSchema } from '../store/newer-schema.ts'
import { FileProblems } from '../yaml/problems.ts'
import { createProgram } from './program.ts'

/** The database was written by a later version: nothing may be done with it. */
const newerSchemaExit = 57

/** Does what the command line says, and sets the exit status. */
export async function runCommandLine(): Promise<void> {
  try {
    await createProgram().parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
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
