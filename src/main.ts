/** Where every command begins. */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// What was compiled once is kept, and the next start takes half the time. In a folder of the installation: in the system's
// folder for temporary files somebody else could lay code for us. Where nothing can be written, nothing is kept.
if (process.env.NODE_COMPILE_CACHE === undefined) {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/scim-bridge', import.meta.url)))
}
const { runCommandLine } = await import('./cli/run.ts')
await runCommandLine()
