import { Command } from 'commander'
import { version } from '../version.ts'
import { auditCommand } from './audit.ts'
import { checkCommand } from './check.ts'
import { completionCommand } from './completion.ts'
import { demoCommand } from './demo.ts'
import { eraseCommand } from './erase.ts'
import { initCommand } from './init.ts'
import { mappingCommand } from './mapping.ts'
import { planCommand } from './plan.ts'
import { importCommand, reconcileCommand } from './reconcile.ts'
import { serveCommand } from './serve.ts'
import { storeCommand } from './store.ts'
import { tokenCommand } from './token.ts'
import { resumeCommand, usersCommand } from './users.ts'

/** All commands. Wrong usage is told with the usage text and thrown as `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('scim-bridge')
    .description('A SCIM 2.0 server that provisions accounts on platforms without SCIM')
    .version(version)
    .addCommand(serveCommand())
    .addCommand(initCommand())
    .addCommand(checkCommand())
    .addCommand(demoCommand())
    .addCommand(mappingCommand())
    .addCommand(planCommand())
    .addCommand(tokenCommand())
    .addCommand(usersCommand())
    .addCommand(resumeCommand())
    .addCommand(reconcileCommand())
    .addCommand(importCommand())
    .addCommand(auditCommand())
    .addCommand(eraseCommand())
    .addCommand(storeCommand())
    .addCommand(completionCommand())
  for (const command of withInner(program)) command.exitOverride().showHelpAfterError()
  return program
}

function withInner(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withInner)]
}
