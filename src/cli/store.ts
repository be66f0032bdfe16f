import { Command } from 'commander'
import { storeKeyCommand, storeRekeyCommand } from './store-rekey.ts'

/** `scim-bridge store …`: what is done with the store as a whole. */
export function storeCommand(): Command {
  return new Command('store')
    .description('encrypt the store, or change its key')
    .addCommand(storeKeyCommand())
    .addCommand(storeRekeyCommand())
}
