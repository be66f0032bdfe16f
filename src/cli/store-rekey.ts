import { Command } from 'commander'
import { readConfig, sealerOf } from '../bridge.ts'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import { keysOf, parseDocument } from '../provision/document.ts'
import type { StoreLocation } from '../store/location.ts'
import type { Rekeyed, RekeyOptions, RekeyStep } from '../store/rekey.ts'
import { rekeySqlite } from '../store/rekey-sqlite.ts'
import { createSealer, newKey, plainSealer } from '../store/sealing.ts'
import { configFile } from './serve.ts'
import { installed, type StoreDependencies } from './store-dependencies.ts'

/** Rows between two lines of progress: some seconds. */
const rowsPerLine = 10_000

/** `scim-bridge store key`: a new key, for `encryption.key`. */
export function storeKeyCommand({ write }: Pick<StoreDependencies, 'write'> = installed): Command {
  return new Command('key').description('make a key for encryption.key and show it; it is kept nowhere').action(() => {
    write(`${newKey()}\n`)
  })
}

/** `scim-bridge store rekey`: no bridge reads or writes meanwhile, so all of them have to be stopped. */
export function storeRekeyCommand({ write, tell, environment, clock }: StoreDependencies = installed): Command {
  return new Command('rekey')
    .description(
      'encrypt the store with encryption.key, or decrypt it when there is none; the bridge has to be stopped, every replica',
    )
    .option('--json', 'print the outcome as JSON')
    .option('--config <file>', 'configuration (default: $BRIDGE_CONFIG, then ./bridge.yaml)')
    .action(async ({ config, json = false }: { config?: string; json?: boolean }) => {
      const read = readConfig(configFile(config), environment)
      const options: RekeyOptions = {
        clock,
        to: sealerOf(read),
        known: knownSealers(read),
        keysOf: (_type, text) => keysOf(parseDocument(text)),
        progress: createProgress(tell),
      }
      const outcome = await rekeyed(read.store, options)
      write(json ? `${JSON.stringify(outcome)}\n` : `${outcomeText(outcome)}\n`)
    })
}

async function rekeyed(store: StoreLocation, options: RekeyOptions): Promise<Rekeyed> {
  if (store.kind === 'sqlite') return rekeySqlite(store, options)
  const { rekeyPostgres } = await import('../store/rekey-postgres.ts')
  return rekeyPostgres(store, { ...options, log: createLog('silent') })
}

function knownSealers({ encryption: { key, formerKeys } }: Config) {
  const keys = key === undefined ? formerKeys : [key, ...formerKeys]
  return [plainSealer, ...keys.map(createSealer)]
}

function createProgress(tell: (text: string) => void): (step: RekeyStep) => void {
  let told = 0
  return ({ step, table, done = 0, of = 0 }) => {
    if (step === 'verified') tell(`verified: ${done} rows\n`)
    else if (step === 'rewritten') tell('everything was written anew\n')
    else if (done >= of || done - told >= rowsPerLine) {
      told = done >= of ? 0 : done
      tell(`${table}: ${done} of ${of} rows\n`)
    }
  }
}

function outcomeText({ from, to, rows, verified }: Rekeyed): string {
  const state = to === undefined ? 'not encrypted' : `encrypted with the key ${to}`
  if (from === to && rows === 0) return `nothing to do: the store is ${state}; ${verified} rows were checked`
  return `done: the store is ${state}; ${rows} rows were written, ${verified} were checked`
}
