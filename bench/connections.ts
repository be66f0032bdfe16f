/**
 * `node bench/connections.ts [N]`: what N connections cost a bridge in which nothing happens: time to start, memory, and CPU
 * of the looks at their outboxes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../src/bridge.ts'
import { demoConfig, newDemoToken } from '../src/cli/demo-config.ts'
import { fileOf, startMeasured } from './measured.ts'
import { untilReady } from './world.ts'

const count = Number(process.argv[2] ?? 1_000)
const port = 18_082
const idleMs = 20_000

const directory = mkdtempSync(join(tmpdir(), 'scim-bridge-bench-'))
const file = join(directory, 'bridge.yaml')
// Nobody listens there: an idle bridge calls nobody.
const one = { platform: 'figshare' as const, token: '', baseUrl: 'http://127.0.0.1:9/v2', credentials: { token: 'x' } }
const config = parse(demoConfig({ port, sharedToken: undefined, mappings: builtInMappings, connections: [one] }))
const { figshare } = config.connections
const named = Array.from({ length: count }, (_, index) => [`c${index}`, { ...figshare, tokens: [newDemoToken()] }])
writeFileSync(
  file,
  stringify({ ...config, connections: Object.fromEntries(named) }, { aliasDuplicateObjects: false }),
  {
    mode: 0o600,
  },
)
const startedAt = performance.now()
const bridge = startMeasured([fileOf('../src/main.ts'), 'serve', '--config', file])
try {
  await untilReady(`http://127.0.0.1:${port}/readyz`, bridge)
  const startMs = performance.now() - startedAt
  const { cpuMs: startCpuMs } = await bridge.ask({ ask: 'reading' })
  await pause(idleMs)
  const { cpuMs, rssBytes } = await bridge.ask({ ask: 'collect' })
  const idleShare = (cpuMs - startCpuMs) / idleMs
  console.table({
    connections: count,
    startMs,
    startCpuMs,
    rssMb: rssBytes / 1e6,
    'idle CPU, % of a core': idleShare * 100,
  })
} finally {
  await bridge.end()
  rmSync(directory, { recursive: true, force: true })
}
