import { endAtSignal } from './cli/stop-signal.ts'

endAtSignal()
// Afterwards: all the rest takes most of a second to load.
const { runCommandLine } = await import('./cli/run.ts')
await runCommandLine()
