import { CommanderError } from 'commander'
import { NewerSchema } from '../store/newer-schema.ts'
import { FileProblems } from '../yaml/problems.ts'
import { createProgram } from './program.ts'

/** The database was written by a later version: nothing may be done with it. */
const newerSchemaExit = 57

/** Does what the command line says, and sets the exit status. */
export async function runCommandLine(): Promise<void> {
  process.stdout.on('error', endWithOutput)
  try {
    await createProgram().parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** Whoever reads may have had enough (`| head`): that is the end, and no mistake. Anything else, such as a full disk, is told. */
function endWithOutput(error: Error): void {
  const code = 'code' in error ? String(error.code) : 'error'
  if (code === 'EPIPE') process.exit()
  console.error(`scim-bridge: the output cannot be written (${code}): it is not whole`)
  process.exit(1)
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
